// The worker thread of prefetch: assembles the requested batches in the order of the requests.
import { type MessagePort, parentPort } from "node:worker_threads";
import { assemble } from "./assemble.ts";
import type { PrefetchAnswer, PrefetchRequest, PrefetchSource } from "./prefetch.ts";

parentPort!.once("message", ({ port, source }: { port: MessagePort; source: PrefetchSource }) => {
  const { tokens, starts, kept, labels, padding, answers } = source;
  const answer = (value: PrefetchAnswer, moved: ArrayBuffer[] = []) => {
    port.postMessage(value, moved);
    Atomics.add(answers, 0, 1);
    Atomics.notify(answers, 0);
  };
  port.on("message", ({ run, planned }: PrefetchRequest) => {
    try {
      const batch = assemble(
        planned,
        (i) => tokens.subarray(starts[i]!, starts[i + 1]!),
        (i) => kept[i]!,
        padding,
      );
      if (labels) batch.labels = Float32Array.from(batch.indices, (i) => labels[i]!);
      const arrays = Object.values(batch).filter((value) => ArrayBuffer.isView(value));
      answer(
        { run, batch },
        arrays.map(({ buffer }) => buffer as ArrayBuffer),
      );
    } catch (error) {
      answer({ run, error: error as Error });
    }
  });
});
