import type { Example } from "../data/dataset.ts";
import { random } from "../data/random.ts";
import type { Batch } from "./batch.ts";
import { type FixedPadOptions, fixedPad } from "./fixed-pad.ts";

export interface FixedLengthOptions extends FixedPadOptions {
  batchSize: number;
  /** Shuffles each epoch anew; without it the examples come in their own order. */
  seed?: number;
  /** Leave out a last batch that is smaller than the others; false by default. */
  dropLast?: boolean;
}

/** Batches that can be gone through again and again; each pass is one epoch. */
export interface Batches extends Iterable<Batch> {
  /** How many batches an epoch has. */
  count: number;
  /** The batches of one epoch, the same ones each time it is asked for. */
  epoch(index: number): Iterable<Batch>;
}

/**
 * Shuffled batches in which every row is `maxLength` long. Iterating gives the first epoch; `epoch(n)` gives the n-th,
 * in an order that depends on `seed` and `n` only. Each example is in exactly one batch of an epoch.
 */
export function fixedLengthBatches(examples: readonly Example[], options: FixedLengthOptions): Batches {
  const { batchSize, seed, dropLast = false } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`batchSize must be a positive integer, got ${batchSize}`);
  }
  if (examples.length === 0) throw new RangeError("no examples: batches need at least one");
  const count = dropLast ? Math.floor(examples.length / batchSize) : Math.ceil(examples.length / batchSize);
  if (count === 0) throw new RangeError(`dropLast leaves nothing: ${examples.length} examples, batchSize ${batchSize}`);

  function* epoch(index: number): Generator<Batch> {
    const inOrder = examples.map((_, i) => i);
    const order = seed === undefined ? inOrder : random(mix(seed, index)).shuffle(inOrder);
    for (let b = 0; b < count; b++) {
      const chosen = order.slice(b * batchSize, (b + 1) * batchSize);
      const batch = fixedPad(
        chosen.map((i) => examples[i]!.tokens),
        options,
      );
      batch.indices = Int32Array.from(chosen);
      batch.labels = Float32Array.from(chosen, (i) => examples[i]!.label);
      yield batch;
    }
  }
  return { count, epoch, [Symbol.iterator]: () => epoch(0) };
}

/** One seed from two: neighbouring epochs must not get neighbouring generator states. */
function mix(seed: number, epoch: number): number {
  return (Math.imul(seed ^ Math.imul(epoch + 1, 0x9e3779b1), 0x85ebca6b) ^ epoch) | 0;
}
