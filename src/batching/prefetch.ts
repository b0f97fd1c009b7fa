import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { checkPositiveInteger } from "../base/checks.ts";
import type { RectanglePadding } from "./assemble.ts";
import type { Batch, ExampleBatch } from "./batch.ts";
import type { Batches } from "./batches.ts";
import { tokenLabelsOf } from "./labels.ts";
import type { PlannedBatch } from "./plan.ts";
import { lengthOf, tokensOf } from "./sequences.ts";
import type { RectangleSource } from "./source.ts";

/** What the worker needs to assemble batches. */
export interface PrefetchSource {
  rectangles: readonly SharedRectangle[];
  /** Counts the answers, so that the main thread can wait for one. */
  answers: Int32Array;
}

/** The sequences of one rectangle of each batch: all tokens end to end, in shared memory. */
export interface SharedRectangle {
  name: string | undefined;
  tokens: Int32Array;
  tokenLabels: Int32Array | undefined;
  /** Where each sequence begins in `tokens`, and where the last one ends. */
  starts: Int32Array;
  /** The number of tokens that the plan keeps of each sequence. */
  kept: Int32Array;
  padding: RectanglePadding;
}

export interface PrefetchRequest {
  run: number;
  planned: PlannedBatch;
}

export type PrefetchAnswer = { run: number } & ({ assembled: Batch[] } | { error: Error });

/** Batches that a worker thread assembles; disposing of them ends the worker. */
export interface PrefetchedBatches<B extends ExampleBatch = Batch> extends Batches<B>, Disposable {}

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
 * @throws RangeError when `ahead` is not a positive integer; TypeError for batches of data without sequences
 * @throws Error, when iterated, after disposal or when the worker fails or does not answer
 */
export function prefetch<B extends ExampleBatch>(
  batches: Batches<B>,
  { ahead = 2 }: { ahead?: number } = {},
): PrefetchedBatches<B> {
  checkPositiveInteger("ahead", ahead);
  const { plan, source } = batches;
  if (!source) throw new TypeError("prefetch: expected batches of sequences; batches of other data need no padding");
  const { combine } = source;
  const rectangles = source.rectangles.map(sharedRectangle);
  const answers = new Int32Array(new SharedArrayBuffer(4));
  // The flags of this process may be none for a worker, for instance --input-type.
  const worker = new Worker(new URL("./prefetch-worker.js", import.meta.url), { execArgv: [] });
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage({ port: port2, source: { rectangles, answers } satisfies PrefetchSource }, [port2]);
  worker.unref();
  port.unref();
  let run = 0;
  let isDisposed = false;

  function receive(ownRun: number): Batch[] {
    const deadline = performance.now() + TIMEOUT;
    for (;;) {
      const before = Atomics.load(answers, 0);
      const received = receiveMessageOnPort(port);
      if (received) {
        const answer = received.message as PrefetchAnswer;
        if (answer.run !== ownRun) continue;
        if ("error" in answer) throw answer.error;
        return answer.assembled;
      }
      if (performance.now() > deadline)
        throw new Error(`The prefetch worker did not answer within ${TIMEOUT / 1000} s. It may be out of memory.`);
      Atomics.wait(answers, 0, before, 1000);
    }
  }

  function* epoch(index: number, from = 0): Generator<B> {
    if (isDisposed) throw new Error("These prefetched batches have been disposed. Call prefetch again.");
    const planned = plan.epoch(index);
    const ownRun = ++run;
    const request = (b: number) => {
      if (b < planned.length) port.postMessage({ run: ownRun, planned: planned[b]! } satisfies PrefetchRequest);
    };
    for (let b = from; b < from + ahead; b++) request(b);
    for (let b = from; b < planned.length; b++) {
      const assembled = receive(ownRun);
      request(b + ahead);
      yield combine(assembled);
    }
  }
  const dispose = () => {
    isDisposed = true;
    port.close();
    void worker.terminate();
  };
  return { ...batches, epoch, [Symbol.iterator]: () => epoch(0), [Symbol.dispose]: dispose };
}

function sharedRectangle({ name, sequences, kept, padding, hasTokenLabels }: RectangleSource): SharedRectangle {
  const starts = sharedArray(sequences.length + 1);
  sequences.forEach((sequence, i) => {
    starts[i + 1] = starts[i]! + lengthOf(sequence);
  });
  const endToEnd = (valuesOf: (index: number) => ArrayLike<number>) => {
    const values = sharedArray(starts.at(-1)!);
    sequences.forEach((_, i) => {
      values.set(valuesOf(i), starts[i]!);
    });
    return values;
  };
  const tokens = endToEnd((i) => tokensOf(sequences[i]!));
  const tokenLabels = hasTokenLabels ? endToEnd((i) => tokenLabelsOf(sequences[i]!)!) : undefined;
  return { name, tokens, tokenLabels, starts, kept, padding };
}

function sharedArray(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}
