import { checkPositiveInteger } from "../base/checks.ts";
import {
  type ExampleLengths,
  type LengthLimit,
  type Lengths,
  longestOf,
  type PerName,
  ruleLengths,
  sequenceText,
} from "./lengths.ts";
import { epochRandom, type GroupingOptions, grouped, ordered, rowChunks, shuffled } from "./order.ts";
import { type Plan, type PlannedBatch, planExamples } from "./plan.ts";
import { limitWidths, longestWidths, raised, widthsBy } from "./widths.ts";

/** Options of `fixedLengthPlan`. */
export interface FixedLengthPlanOptions<N extends string = never> extends LengthLimit<N> {
  /** Length of every row, in tokens. */
  maxLength: PerName<number, N>;
  /** Examples in a batch. */
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
export function fixedLengthPlan(lengths: Lengths, options: FixedLengthPlanOptions<string>): Plan {
  const { batchSize, seed, dropLast = false } = options;
  checkPositiveInteger("batchSize", batchSize);
  return planExamples("fixed length", lengths, options, (examples, epoch) =>
    rowChunks(shuffled(examples.total.length, epochRandom(seed, epoch)), batchSize, dropLast).map((rows) => ({
      ...limitWidths(examples),
      rows,
    })),
  );
}

/** Options of `dynamicLengthPlan`. */
export interface DynamicLengthPlanOptions<N extends string = never> extends LengthLimit<N> {
  /** Examples in a batch. */
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
export function dynamicLengthPlan(lengths: Lengths, options: DynamicLengthPlanOptions<string>): Plan {
  const { batchSize, seed, dropLast = false, padToMultipleOf = 1 } = options;
  checkPositiveInteger("batchSize", batchSize);
  checkPositiveInteger("padToMultipleOf", padToMultipleOf);
  return planExamples("dynamic length", lengths, options, (examples, epoch) =>
    rowChunks(shuffled(examples.total.length, epochRandom(seed, epoch)), batchSize, dropLast).map((rows) => ({
      ...longestWidths(rows, examples, padToMultipleOf),
      rows,
    })),
  );
}

/** Options of `uniformLengthPlan`. */
export type UniformLengthPlanOptions<N extends string = never> = DynamicLengthPlanOptions<N> & GroupingOptions<N>;

/**
 * Batches of sequences of similar length, each as wide as its longest sequence: the sequences are sorted, cut into batches,
 * and the batches shuffled. The method of Benesty 2020; with `sort: "mega-batches"` that of transformers' `group_by_length`.
 *
 * @throws RangeError when an option or a length is not a positive integer, or `noise` is not in [0, 1)
 */
export function uniformLengthPlan(lengths: Lengths, options: UniformLengthPlanOptions<string>): Plan {
  const { batchSize, seed, dropLast = false, padToMultipleOf = 1 } = options;
  checkPositiveInteger("batchSize", batchSize);
  checkPositiveInteger("padToMultipleOf", padToMultipleOf);
  return planExamples("uniform length", lengths, options, (examples, epoch) => {
    const rng = epochRandom(seed, epoch);
    const order = grouped(ruleLengths(examples, options.by), batchSize, rng, options);
    return ordered(
      rowChunks(order, batchSize, dropLast).map((rows) => ({
        ...longestWidths(rows, examples, padToMultipleOf),
        rows,
      })),
      rng,
      options,
    );
  });
}

/** Options of `tokenBudgetPlan`. */
export interface TokenBudgetPlanOptions<N extends string = never> extends LengthLimit<N>, GroupingOptions<N> {
  /** Most positions in a batch, padding included: rows times width, over all sequences of an example. */
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
export function tokenBudgetPlan(lengths: Lengths, options: TokenBudgetPlanOptions<string>): Plan {
  const { maxTokens, rowsMultipleOf = 1, padToMultipleOf = 1, seed } = options;
  checkPositiveInteger("maxTokens", maxTokens);
  checkPositiveInteger("rowsMultipleOf", rowsMultipleOf);
  checkPositiveInteger("padToMultipleOf", padToMultipleOf);
  return planExamples("token budget", lengths, options, (examples, epoch) => {
    const { lists, total } = examples;
    const needed = total.map((_, i) =>
      lists.reduce((sum, list) => sum + raised(list.lengths[i]!, list, padToMultipleOf), 0),
    );
    const longest = longestOf(needed);
    if (needed[longest]! > maxTokens) {
      const which = lists[0]!.name === undefined ? sequenceText(longest, undefined) : `example ${longest}`;
      throw new RangeError(
        `${which} needs ${needed[longest]} tokens, but maxTokens is ${maxTokens}: raise it, or set maxLength`,
      );
    }
    const rng = epochRandom(seed, epoch);
    const mean = total.reduce((sum, length) => sum + length, 0) / total.length;
    const perBatch = Math.max(1, Math.floor(maxTokens / mean));
    const order = grouped(ruleLengths(examples, options.by), perBatch, rng, options);
    return ordered(filled(order, examples, options), rng, options);
  });
}

/** Fills each batch with examples in order while it stays within the budget. */
function filled(
  order: readonly number[],
  examples: ExampleLengths,
  { maxTokens, rowsMultipleOf = 1, padToMultipleOf = 1 }: TokenBudgetPlanOptions<string>,
): PlannedBatch[] {
  const batches: PlannedBatch[] = [];
  let from = 0;
  while (from < order.length) {
    const longest = examples.lists.map(() => 0);
    let to = from;
    while (to < order.length) {
      const wider = widthsBy(examples, (list, l) => {
        longest[l] = Math.max(longest[l]!, list.lengths[order[to]!]!);
        return raised(longest[l]!, list, padToMultipleOf);
      });
      if (wider.time * (to + 1 - from) > maxTokens) break;
      to++;
    }
    const rounded = Math.floor((to - from) / rowsMultipleOf) * rowsMultipleOf;
    if (to < order.length && rounded > 0) to = from + rounded;
    const rows = order.slice(from, to).map((i) => [i]);
    batches.push({ ...longestWidths(rows, examples, padToMultipleOf), rows });
    from = to;
  }
  return batches;
}
