import { checkPositiveInteger } from "../base/checks.ts";
import { type Random, random } from "../data/random.ts";
import { deriveSeed } from "../random/index.ts";
import type { LengthRule } from "./lengths.ts";
import type { PlannedBatch } from "./plan.ts";

/** How examples of similar length are grouped. */
export interface GroupingOptions<N extends string = never> {
  /** Which length counts where an example has several sequences: `"sum"` by default. */
  by?: LengthRule<N>;
  /** Seed of every shuffle; each epoch has another order. Without it nothing is shuffled. */
  seed?: number;
  /**
   * `"exact"` sorts all sequences: the least padding, and always the same neighbours. `"mega-batches"` shuffles, and sorts
   * only inside groups of `megaBatch` batches: a little more padding, and new neighbours each epoch.
   */
  sort?: "exact" | "mega-batches";
  /** Batches in a mega-batch; `min(n / (4 batchSize), 50)` by default, as in transformers' `group_by_length`. */
  megaBatch?: number;
  /** Sorts by lengths with random noise of up to this share, in [0, 1), so that neighbours change; 0 by default. */
  noise?: number;
  /** Shuffles the order of the finished batches; true by default when there is a seed. */
  shuffleBatches?: boolean;
  /** Puts the largest batch first, so that a lack of memory shows in the first step; true by default. */
  longestFirst?: boolean;
}

/** The generator of one epoch; undefined without a seed. */
export function epochRandom(seed: number | undefined, epoch: number): Random | undefined {
  return seed === undefined ? undefined : random(deriveSeed(seed, epoch));
}

/** `0 .. count - 1`, shuffled when there is a generator. */
export function shuffled(count: number, rng: Random | undefined): number[] {
  const inOrder = Array.from({ length: count }, (_, i) => i);
  return rng ? rng.shuffle(inOrder) : inOrder;
}

/** The indices of all sequences, longest first within each sorted group. `perBatch` is the number of sequences in a batch. */
export function grouped(
  lengths: Int32Array,
  perBatch: number,
  rng: Random | undefined,
  { sort = "exact", megaBatch, noise = 0 }: GroupingOptions<string>,
): number[] {
  if (!(noise >= 0 && noise < 1)) throw new RangeError(`noise must be in [0, 1), got ${noise}`);
  if (megaBatch !== undefined) checkPositiveInteger("megaBatch", megaBatch);
  const order = shuffled(lengths.length, rng);
  const keys = Float64Array.from(lengths, (length) =>
    noise > 0 && rng ? length * (1 + noise * (2 * rng.uniform() - 1)) : length,
  );
  const byLength = (a: number, b: number) => keys[b]! - keys[a]!;
  if (sort === "exact") return order.sort(byLength);
  const batches = megaBatch ?? Math.max(1, Math.min(Math.floor(lengths.length / (4 * perBatch)), 50));
  return chunks(order, batches * perBatch).flatMap((chunk) => chunk.sort(byLength));
}

/** The finished batches in the order in which they are trained on. */
export function ordered(
  batches: PlannedBatch[],
  rng: Random | undefined,
  { shuffleBatches = true, longestFirst = true }: Pick<GroupingOptions, "shuffleBatches" | "longestFirst">,
): PlannedBatch[] {
  const order = rng && shuffleBatches ? rng.shuffle(batches) : batches;
  if (!longestFirst || order.length === 0) return order;
  const slots = order.map(({ rows, time }) => rows.length * time);
  let at = 0;
  for (let i = 1; i < slots.length; i++) {
    const more = slots[i]! - slots[at]! || order[i]!.time - order[at]!.time;
    if (more > 0) at = i;
  }
  return [order[at]!, ...order.slice(0, at), ...order.slice(at + 1)];
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Rows of one sequence each, `batchSize` at a time. */
export function rowChunks(order: readonly number[], batchSize: number, dropLast: boolean): number[][][] {
  const parts = chunks(
    order.map((i) => [i]),
    batchSize,
  );
  return dropLast ? parts.filter(({ length }) => length === batchSize) : parts;
}
