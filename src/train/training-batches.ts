import { createHash } from "node:crypto";
import type { Batches, DataCursor, ExampleBatch } from "../batching/index.ts";
import type { PlannedBatch } from "../batching/plan.ts";
import { place } from "../distributed/exchange.ts";

/**
 * Batches to train on: those of a batching strategy, or your own. An array is an epoch in its order; a function, for instance a
 * generator function, makes the batches of an epoch, counted from 0.
 */
export type TrainingBatches<B> = Iterable<B> | ((epoch: number) => Iterable<B>);

/** The batches by epoch. */
export interface Epochs<B> {
  /** The batches of one epoch without the first `from`, whole. */
  epoch(index: number, from: number): Iterable<B>;
  /** The part of each of them that this worker computes; undefined where it has none. Absent where batches cannot be divided. */
  parts?(index: number, from: number): Iterable<B | undefined>;
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
    *parts(index, from) {
      for (const whole of plan.epoch(index).slice(from)) {
        const own = ownRows(whole);
        yield own.rows.length > 0 ? (batches.make(own) as B & ExampleBatch) : undefined;
      }
    },
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

/**
 * A worker's share of a batch's rows, as even as possible; the first worker always has some. The width stays that of the batch, so that
 * all workers compute what one would.
 */
function ownRows(planned: PlannedBatch): PlannedBatch {
  const { rank, size } = place();
  const from = (worker: number) => Math.ceil((planned.rows.length * worker) / size);
  return { ...planned, rows: planned.rows.slice(from(rank), from(rank + 1)) };
}

/** The batches of one step. */
export interface Group<B> {
  /** Where there are several workers, what this one computes of each; undefined where it has nothing of it. */
  batches: (B | undefined)[];
  /** Which part of each batch this is, from 0. */
  part: number;
  epoch: number;
  /** Where the next one begins. */
  next: DataCursor;
  /** How long the batches took to make, by the clock and in processor time. */
  milliseconds: number;
  processor: number;
}

/**
 * The batches of each step, from a position on, until an epoch. Several workers divide the rows of each batch, or, where a batch cannot
 * be divided, the batches of each step.
 *
 * @throws Error when an epoch has no batches; TypeError when a step has fewer batches than there are workers to divide them
 */
export function* groups<B>(
  source: Epochs<B>,
  from: DataCursor,
  accumulate: number,
  epochs = Number.POSITIVE_INFINITY,
): Generator<Group<B>> {
  let { epoch, batch: at } = from;
  const { rank, size } = place();
  const isDivided = size > 1 && source.parts !== undefined;
  const part = isDivided ? rank : 0;
  if (size > 1 && !isDivided && accumulate < size) {
    throw new TypeError(
      `train: batches of your own are given to the ${size} workers as they are: set accumulate to ${size} or more, got ${accumulate}, or use a batching function, whose batches are divided`,
    );
  }
  for (; epoch < epochs; epoch++, at = 0) {
    const all: Iterable<B | undefined> = isDivided ? source.parts!(epoch, at) : source.epoch(epoch, at);
    const waiting = all[Symbol.iterator]();
    try {
      for (;;) {
        const began = performance.now();
        const used = processorTime();
        const batches: (B | undefined)[] = [];
        while (batches.length < accumulate) {
          const { value, done } = waiting.next();
          if (done) break;
          batches.push(isDivided || batches.length % size === rank ? value : undefined);
        }
        if (batches.length === 0) break;
        at += batches.length;
        const milliseconds = performance.now() - began;
        const processor = processorTime() - used;
        yield { batches, part, epoch, next: { epoch, batch: at }, milliseconds, processor };
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
