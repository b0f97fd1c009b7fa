import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { checkPositiveInteger } from "../base/checks.ts";
import type { PaddingOptions } from "./assemble.ts";
import type { Batch } from "./batch.ts";
import type { Batches } from "./batches.ts";
import { featureWidth, withFeatures } from "./features.ts";
import type { PlannedBatch } from "./plan.ts";
import { tokensOf } from "./sequences.ts";

/** What the worker needs to assemble batches: all tokens end to end, in shared memory. */
export interface PrefetchSource {
  tokens: Int32Array;
  /** Where each sequence begins in `tokens`, and where the last one ends. */
  starts: Int32Array;
  /** The number of tokens that the plan keeps of each sequence. */
  kept: Int32Array;
  labels: Float32Array | undefined;
  padding: PaddingOptions;
  /** Counts the answers, so that the main thread can wait for one. */
  answers: Int32Array;
}

export interface PrefetchRequest {
  run: number;
  planned: PlannedBatch;
}

export type PrefetchAnswer = { run: number } & ({ batch: Batch } | { error: Error });

/** Batches that a worker thread assembles; disposing of them ends the worker. */
export interface PrefetchedBatches extends Batches, Disposable {}

/** Milliseconds to wait for one batch. */
const TIMEOUT = 60_000;

/**
 * The same batches, assembled by a worker thread while the previous step runs. The tokens are copied once into shared memory,
 * and finished batches are transferred without a copy. `ahead` batches are requested in advance, 2 by default. Dispose of the
 * result to end the worker; it does not keep the process alive.
 *
 * Use it where making a batch takes a noticeable share of a step (`times.data` in the training history). For the padding of
 * token ids it does not; see bench/prefetch.
 *
 * @throws RangeError when `ahead` is not a positive integer, or features are invalid; TypeError for batches of another kind
 * @throws Error, when iterated, after disposal or when the worker fails or does not answer
 */
export function prefetch(batches: Batches, { ahead = 2 }: { ahead?: number } = {}): PrefetchedBatches {
  checkPositiveInteger("ahead", ahead);
  const { plan } = batches;
  const source = sourceOf(batches);
  const width = featureWidth(source.sequences);
  const answers = new Int32Array(new SharedArrayBuffer(4));
  // The flags of this process may be none for a worker, for instance --input-type.
  const worker = new Worker(new URL("./prefetch-worker.js", import.meta.url), { execArgv: [] });
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage({ port: port2, source: sharedSource(source, plan.lengths, answers) }, [port2]);
  worker.unref();
  port.unref();
  let run = 0;
  let isDisposed = false;

  function receive(ownRun: number): Batch {
    const deadline = performance.now() + TIMEOUT;
    for (;;) {
      const before = Atomics.load(answers, 0);
      const received = receiveMessageOnPort(port);
      if (received) {
        const answer = received.message as PrefetchAnswer;
        if (answer.run !== ownRun) continue;
        if ("error" in answer) throw answer.error;
        return answer.batch;
      }
      if (performance.now() > deadline)
        throw new Error(`The prefetch worker did not answer within ${TIMEOUT / 1000} s. It may be out of memory.`);
      Atomics.wait(answers, 0, before, 1000);
    }
  }

  function* epoch(index: number, from = 0): Generator<Batch> {
    if (isDisposed) throw new Error("These prefetched batches have been disposed. Call prefetch again.");
    const planned = plan.epoch(index);
    const ownRun = ++run;
    const request = (b: number) => {
      if (b < planned.length) port.postMessage({ run: ownRun, planned: planned[b]! } satisfies PrefetchRequest);
    };
    for (let b = from; b < from + ahead; b++) request(b);
    for (let b = from; b < planned.length; b++) {
      const batch = receive(ownRun);
      request(b + ahead);
      yield withFeatures(batch, source.sequences, width, source.padding);
    }
  }
  const dispose = () => {
    isDisposed = true;
    port.close();
    void worker.terminate();
  };
  return { ...batches, epoch, [Symbol.iterator]: () => epoch(0), [Symbol.dispose]: dispose };
}

function sourceOf({ source }: Batches): NonNullable<Batches["source"]> {
  if (!source) throw new TypeError("prefetch: expected batches of one sequence an example");
  return source;
}

function sharedSource(
  { sequences, labels, padding }: NonNullable<Batches["source"]>,
  kept: Int32Array,
  answers: Int32Array,
): PrefetchSource {
  const starts = new Int32Array(new SharedArrayBuffer(4 * (sequences.length + 1)));
  sequences.forEach((sequence, i) => {
    starts[i + 1] = starts[i]! + tokensOf(sequence).length;
  });
  const tokens = new Int32Array(new SharedArrayBuffer(4 * starts.at(-1)!));
  sequences.forEach((sequence, i) => {
    tokens.set(tokensOf(sequence), starts[i]!);
  });
  const { truncate, paddingValue, side } = padding;
  return {
    ...{ tokens, starts, labels, answers, kept },
    padding: {
      ...(truncate === undefined ? {} : { truncate }),
      ...(paddingValue === undefined ? {} : { paddingValue }),
      ...(side === undefined ? {} : { side }),
    },
  };
}
