/**
 * A thread of the kernel's process that ends the process when its main thread should and is too busy to: once the front end
 * is gone, and on SIGTERM and SIGHUP. The host and what cells have started end with it (see host/guard.ts).
 */
import { constants } from "node:os";
import { watchParent } from "./parent.ts";

/** Milliseconds in which the main thread ends by itself: it says goodbye to its clients. */
const endsWithin = 2000;

function endSoon(): void {
  setTimeout(() => process.kill(process.pid, "SIGKILL"), endsWithin);
}

watchParent(endSoon);
// Whatever else it waits for may not keep a thread.
setInterval(() => {}, 2 ** 30);

interface SignalWatch {
  onsignal: () => void;
  start(signal: number): number;
}

const { SIGTERM, SIGHUP } = constants.signals;
for (const signal of [SIGTERM, SIGHUP]) watchSignal(signal);

/** Node gives signals to its main thread alone; libuv gives them to every loop that asks. */
function watchSignal(signal: number): void {
  const { noDeprecation } = process;
  try {
    process.noDeprecation = true;
    const { binding } = process as unknown as { binding(name: string): { Signal: new () => SignalWatch } };
    const { Signal } = binding.call(process, "signal_wrap");
    const watch = new Signal();
    watch.onsignal = endSoon;
    watch.start(signal);
  } catch {
    // A later Node without this way: the main thread alone answers signals.
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}
