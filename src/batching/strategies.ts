import { checkPositiveInteger } from "../base/checks.ts";
import { epochRandom, type GroupingOptions, grouped, ordered, rowChunks, shuffled, width } from "./order.ts";
import { type LengthLimit, type Plan, type PlannedBatch, plan } from "./plan.ts";
import { longestOf } from "./sequences.ts";

/** Options of `fixedLengthPlan`. */
export interface FixedLengthPlanOptions extends LengthLimit {
  /** Length of every row, in tokens. */
  maxLength: number;
  /** Sequences in a batch. */
  batchSize: number;
  /** Seed of the shuffle, which is another one each epoch; without it the sequences keep their order. */
  seed?: number;
  /** Leaves out a last batch that is smaller than the others; false by default. */
  dropLast?: boolean;
}

/**
 * Shuffled batches in which every row is `maxLength` wide.
 *
 * @throws RangeError when `batchSize` or `maxLength` is not a positive integer, or a length is invalid
 */
export function fixedLengthPlan(lengths: ArrayLike<number>, options: FixedLengthPlanOptions): Plan {
  const { batchSize, maxLength, seed, dropLast = false } = options;
  checkPositiveInteger("batchSize", batchSize);
  checkPositiveInteger("maxLength", maxLength);
  return plan("fixed length", lengths, options, (kept, epoch) =>
    rowChunks(shuffled(kept.length, epochRandom(seed, epoch)), batchSize, dropLast).map((rows) => ({
      time: maxLength,
      rows,
    })),
  );
}

/** Options of `dynamicLengthPlan`. */
export interface DynamicLengthPlanOptions extends LengthLimit {
  /** Sequences in a batch. */
  batchSize: number;
  /** Seed of the shuffle, which is another one each epoch; without it the sequences keep their order. */
  seed?: number;
  /** Leaves out a last batch that is smaller than the others; false by default. */
  dropLast?: boolean;
  /** Raises the width of a batch to a multiple of this; 8 suits tensor cores. 1 by default. */
  padToMultipleOf?: number;
}

/**
 * Shuffled batches, each as wide as its own longest sequence.
 *
 * @throws RangeError when `batchSize` or `padToMultipleOf` is not a positive integer, or a length is invalid
 */
export function dynamicLengthPlan(lengths: ArrayLike<number>, options: DynamicLengthPlanOptions): Plan {
  const { batchSize, seed, dropLast = false, padToMultipleOf = 1 } = options;
  checkPositiveInteger("batchSize", batchSize);
  checkPositiveInteger("padToMultipleOf", padToMultipleOf);
  return plan("dynamic length", lengths, options, (kept, epoch) =>
    rowChunks(shuffled(kept.length, epochRandom(seed, epoch)), batchSize, dropLast).map((rows) => ({
      time: width(rows, kept, options),
      rows,
    })),
  );
}

/** Options of `uniformLengthPlan`. */
export type UniformLengthPlanOptions = DynamicLengthPlanOptions & GroupingOptions;

/**
 * Batches of sequences of similar length, each as wide as its longest sequence: the sequences are sorted, cut into batches,
 * and the batches shuffled. The method of Benesty 2020; with `sort: "mega-batches"` that of transformers' `group_by_length`.
 *
 * @throws RangeError when an option or a length is not a positive integer, or `noise` is not in [0, 1)
 */
export function uniformLengthPlan(lengths: ArrayLike<number>, options: UniformLengthPlanOptions): Plan {
  const { batchSize, seed, dropLast = false, padToMultipleOf = 1 } = options;
  checkPositiveInteger("batchSize", batchSize);
  checkPositiveInteger("padToMultipleOf", padToMultipleOf);
  return plan("uniform length", lengths, options, (kept, epoch) => {
    const rng = epochRandom(seed, epoch);
    const batches = rowChunks(grouped(kept, batchSize, rng, options), batchSize, dropLast);
    return ordered(
      batches.map((rows) => ({ time: width(rows, kept, options), rows })),
      rng,
      options,
    );
  });
}

/** Options of `tokenBudgetPlan`. */
export interface TokenBudgetPlanOptions extends LengthLimit, GroupingOptions {
  /** Most positions in a batch, padding included: rows times width. */
  maxTokens: number;
  /** Rounds the number of rows down to a multiple of this where at least one row remains; 1 by default. */
  rowsMultipleOf?: number;
  /** Raises the width of a batch to a multiple of this; 1 by default. */
  padToMultipleOf?: number;
}

/**
 * Batches of sequences of similar length with as many rows as `maxTokens` positions allow: many short sequences or a few long
 * ones, with the same memory (fairseq's `--max-tokens`).
 *
 * @throws RangeError for an invalid option, or a sequence that alone exceeds the budget, with its index
 */
export function tokenBudgetPlan(lengths: ArrayLike<number>, options: TokenBudgetPlanOptions): Plan {
  const { maxTokens, rowsMultipleOf = 1, padToMultipleOf = 1, seed, maxLength = Number.POSITIVE_INFINITY } = options;
  checkPositiveInteger("maxTokens", maxTokens);
  checkPositiveInteger("rowsMultipleOf", rowsMultipleOf);
  checkPositiveInteger("padToMultipleOf", padToMultipleOf);
  const raised = (length: number) => Math.min(maxLength, Math.ceil(length / padToMultipleOf) * padToMultipleOf);
  return plan("token budget", lengths, options, (kept, epoch) => {
    const longest = longestOf(kept);
    if (raised(kept[longest]!) > maxTokens) {
      throw new RangeError(
        `sequence ${longest} needs ${raised(kept[longest]!)} tokens, but maxTokens is ${maxTokens}: raise it, or set maxLength`,
      );
    }
    const rng = epochRandom(seed, epoch);
    const mean = kept.reduce((sum, length) => sum + length, 0) / kept.length;
    const order = grouped(kept, Math.max(1, Math.floor(maxTokens / mean)), rng, options);
    return ordered(filled(order, kept, raised, maxTokens, rowsMultipleOf), rng, options);
  });
}

/** Fills each batch with sequences in order while it stays within the budget. */
function filled(
  order: readonly number[],
  lengths: Int32Array,
  raised: (length: number) => number,
  maxTokens: number,
  rowsMultipleOf: number,
): PlannedBatch[] {
  const batches: PlannedBatch[] = [];
  let from = 0;
  while (from < order.length) {
    let time = 0;
    let to = from;
    while (to < order.length) {
      const wider = Math.max(time, raised(lengths[order[to]!]!));
      if (wider * (to + 1 - from) > maxTokens) break;
      time = wider;
      to++;
    }
    const rounded = Math.floor((to - from) / rowsMultipleOf) * rowsMultipleOf;
    if (to < order.length && rounded > 0) to = from + rounded;
    const rows = order.slice(from, to).map((i) => [i]);
    time = 0;
    for (const [i] of rows) time = Math.max(time, raised(lengths[i!]!));
    batches.push({ time, rows });
    from = to;
  }
  return batches;
}
