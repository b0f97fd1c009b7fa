import v8 from "node:v8";
import vm from "node:vm";

type Collect = (options?: { type: "minor" }) => void;
let collect: Collect | undefined;

function collector(): Collect {
  if (!collect) {
    const given = (globalThis as { gc?: Collect }).gc;
    if (given) collect = given;
    else {
      v8.setFlagsFromString("--expose-gc");
      collect = vm.runInNewContext("gc") as Collect;
      v8.setFlagsFromString("--no-expose-gc");
    }
  }
  return collect;
}

/** Collects the young generation, which is fast. */
export const collectYoung = (): void => collector()({ type: "minor" });

/** Collects all garbage. The time grows with the size of the JavaScript heap. */
export const collectAll = (): void => collector()();
