import { createHash } from "node:crypto";
import type { Batches, DataCursor, ExampleBatch } from "../batching/index.ts";

/**
 * Batches to train on: those of a batching strategy, or your own. An array is an epoch in its order; a function, for instance a
 * generator function, makes the batches of an epoch, counted from 0.
 */
export type TrainingBatches<B> = Iterable<B> | ((epoch: number) => Iterable<B>);

/** The batches by epoch. */
export interface Epochs<B> {
  /** The batches of one epoch without the first `from`. */
  epoch(index: number, from: number): Iterable<B>;
  /** The number of batches of an epoch, where it is known before they are made. */
  count(index: number): number | undefined;
  /** What two trainings must share to have the same batches. */
  identity(): { strategy: string; lengths: string };
}

/** @throws TypeError when the source is not iterable */
export function epochsOf<B>(source: TrainingBatches<B>): Epochs<B> {
  if (isPlanned(source)) return planned(source);
  if (typeof source !== "function" && typeof source?.[Symbol.iterator] !== "function") {
    throw new TypeError(
      "batches must be those of a batching function, an array, another iterable, or a function (epoch) => iterable" +
        (isAsync(source) ? "; collect an async iterable into an array first" : ""),
    );
  }
  const isOnce = typeof source !== "function" && isIterator(source[Symbol.iterator](), source);
  const epoch = (index: number, from: number) => {
    if (isOnce && index > 0) {
      throw new TypeError("batches is an iterator, which gives one epoch only: pass an array or a generator function");
    }
    return rest(typeof source === "function" ? source(index) : source, from);
  };
  const count = Array.isArray(source) ? source.length : undefined;
  return {
    epoch,
    count: () => count,
    identity: () => ({ strategy: "batches of your own", lengths: count === undefined ? "" : `${count}` }),
  };
}

function planned<B>(batches: Batches<B & ExampleBatch>): Epochs<B> {
  const { plan } = batches;
  return {
    epoch: (index, from) => batches.epoch(index, from),
    count: (index) => plan.epoch(index).length,
    identity() {
      const { buffer, byteOffset, byteLength } = plan.lengths;
      const hash = createHash("sha256")
        .update(new Uint8Array(buffer, byteOffset, byteLength))
        .update(JSON.stringify(plan.epoch(0)));
      return { strategy: plan.strategy, lengths: hash.digest("hex") };
    },
  };
}

/** The batches of one step. */
export interface Group<B> {
  batches: B[];
  epoch: number;
  /** Where the next one begins. */
  next: DataCursor;
  /** How long the batches took to make, by the clock and in processor time. */
  milliseconds: number;
  processor: number;
}

/**
 * The batches of each step, from a position on, until an epoch.
 *
 * @throws Error when an epoch has no batches
 */
export function* groups<B>(
  source: Epochs<B>,
  from: DataCursor,
  accumulate: number,
  epochs = Number.POSITIVE_INFINITY,
): Generator<Group<B>> {
  let { epoch, batch: at } = from;
  for (; epoch < epochs; epoch++, at = 0) {
    const waiting = source.epoch(epoch, at)[Symbol.iterator]();
    try {
      for (;;) {
        const began = performance.now();
        const used = processorTime();
        const batches: B[] = [];
        while (batches.length < accumulate) {
          const { value, done } = waiting.next();
          if (done) break;
          batches.push(value);
        }
        if (batches.length === 0) break;
        at += batches.length;
        const milliseconds = performance.now() - began;
        const processor = processorTime() - used;
        yield { batches, epoch, next: { epoch, batch: at }, milliseconds, processor };
      }
    } finally {
      waiting.return?.();
    }
    if (at === 0) throw new Error(`batches has no batch in epoch ${epoch}`);
  }
}

/** Milliseconds of processor time of this process so far, all threads together. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function* rest<B>(batches: Iterable<B>, from: number): Generator<B> {
  let at = 0;
  for (const batch of batches) if (at++ >= from) yield batch;
}

function isPlanned<B>(source: TrainingBatches<B>): source is Batches<B & ExampleBatch> {
  return typeof source === "object" && source !== null && "plan" in source && "epoch" in source;
}

const isIterator = (iterator: unknown, source: unknown): boolean => iterator === source;

const isAsync = (source: unknown): boolean =>
  typeof source === "object" && source !== null && Symbol.asyncIterator in source;
