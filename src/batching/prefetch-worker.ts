// The worker thread of prefetch: assembles the requested batches in the order of the requests.
import { type MessagePort, parentPort } from "node:worker_threads";
import { assemble } from "./assemble.ts";
import type { PrefetchAnswer, PrefetchRequest, PrefetchSource, SharedRectangle } from "./prefetch.ts";
import { rectangleOf } from "./source.ts";

parentPort!.once("message", ({ port, source }: { port: MessagePort; source: PrefetchSource }) => {
  const { rectangles, answers } = source;
  const answer = (value: PrefetchAnswer, moved: ArrayBuffer[] = []) => {
    port.postMessage(value, moved);
    Atomics.add(answers, 0, 1);
    Atomics.notify(answers, 0);
  };
  port.on("message", ({ run, planned }: PrefetchRequest) => {
    try {
      const assembled = rectangles.map(({ name, padding, ...shared }) =>
        assemble(rectangleOf(planned, name), sequencesOf(shared), padding),
      );
      const arrays = assembled.flatMap((batch) => Object.values(batch)).filter((value) => ArrayBuffer.isView(value));
      answer(
        { run, assembled },
        arrays.map(({ buffer }) => buffer as ArrayBuffer),
      );
    } catch (error) {
      answer({ run, error: error as Error });
    }
  });
});

function sequencesOf({ tokens, tokenLabels, starts, kept }: Omit<SharedRectangle, "name" | "padding">) {
  const part = (values: Int32Array) => (i: number) => values.subarray(starts[i]!, starts[i + 1]!);
  return { kept, tokens: part(tokens), tokenLabels: tokenLabels && part(tokenLabels) };
}
