import { defineSummary, formatCount } from "../display/define-summary.ts";
import type { PaddingOptions } from "./assemble.ts";
import type { Batch, ExampleBatch } from "./batch.ts";
import { batchMaker } from "./batch-maker.ts";
import { type BucketPlanOptions, bucketPlan } from "./buckets.ts";
import { type BatchOf, type Examples, type NameOf, partLengths, partsOf } from "./examples.ts";
import type { LengthLimit, Lengths } from "./lengths.ts";
import { type PackedPlanOptions, packedPlan } from "./packing.ts";
import type { Plan, PlannedBatch } from "./plan.ts";
import type { SequenceChecks } from "./sequences.ts";
import { type PlanStatistics, planStatistics } from "./statistics.ts";
import {
  type DynamicLengthPlanOptions,
  dynamicLengthPlan,
  type FixedLengthPlanOptions,
  fixedLengthPlan,
  type TokenBudgetPlanOptions,
  tokenBudgetPlan,
  type UniformLengthPlanOptions,
  uniformLengthPlan,
} from "./strategies.ts";

/**
 * Batches by epoch, the same ones each time an epoch is requested; iterating gives the first epoch. `B` is the batch: one rectangle
 * of sequences by default.
 */
export interface Batches<B extends ExampleBatch = Batch> extends Iterable<B> {
  /** Number of batches in the first epoch; it may differ between epochs where the strategy groups anew. */
  count: number;
  /** Which examples share a batch. */
  plan: Plan;
  /** The batches of one epoch without the first `from`. */
  epoch(index: number, from?: number): Iterable<B>;
  /** The batch of given rows, for instance of some of those of a planned one, which a worker computes. */
  make(planned: PlannedBatch): B;
}

type Padding<N extends string> = PaddingOptions<N> & SequenceChecks<N> & Pick<LengthLimit<N>, "truncate">;

/**
 * Batches of the examples, grouped by any plan, for instance one of your own.
 *
 * @throws RangeError when the plan has another number of examples or other names, or some labels are missing
 */
export function batchesFrom<L extends readonly object[]>(
  examples: Examples<L>,
  plan: Plan,
  padding: PaddingOptions<NameOf<L[number]>> = {},
): Batches<BatchOf<L[number]>> {
  return planBatches(plan, batchMaker(examples, partsOf(examples), plan, padding)) as Batches<BatchOf<L[number]>>;
}

/** Batches of the examples, grouped by a plan of their lengths. */
function batchesBy<L extends readonly object[]>(
  examples: Examples<L>,
  options: object,
  planOf: (lengths: Lengths, options: never) => Plan,
): Batches<BatchOf<L[number]>> {
  const parts = partsOf(examples);
  const plan = planOf(partLengths(parts, options), options as never);
  return planBatches(plan, batchMaker(examples, parts, plan, options)) as Batches<BatchOf<L[number]>>;
}

function planBatches(plan: Plan, batchOf: (planned: PlannedBatch) => ExampleBatch): Batches<ExampleBatch> {
  function* epoch(index: number, from = 0): Generator<ExampleBatch> {
    const planned = plan.epoch(index);
    for (let b = from; b < planned.length; b++) yield batchOf(planned[b]!);
  }
  const batches = { count: plan.epoch(0).length, plan, epoch, make: batchOf, [Symbol.iterator]: () => epoch(0) };
  return defineSummary(batches, () => describe(planStatistics(plan), plan.lengthsByName ? "examples" : "sequences"));
}

function describe(
  { strategy, sequences, batches, useful, paddingShare, shapes }: PlanStatistics,
  noun: string,
): string {
  const padding = `${(100 * paddingShare).toFixed(1)} % padding`;
  return `Batches, ${strategy}: ${formatCount(sequences)} ${noun} in ${formatCount(batches)} batches of ${formatCount(shapes)} shapes, ${formatCount(useful)} tokens, ${padding}`;
}

/** Options of `fixedLengthBatches`. */
export type FixedLengthOptions<N extends string = never> = FixedLengthPlanOptions<N> & Padding<N>;

/**
 * Shuffled batches in which every row has `maxLength` tokens. The order of `epoch(n)` depends on `seed` and `n` only, and
 * each example is in exactly one batch of an epoch.
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function fixedLengthBatches<L extends readonly object[]>(
  examples: Examples<L>,
  options: FixedLengthOptions<NameOf<L[number]>>,
): Batches<BatchOf<L[number]>> {
  return batchesBy(examples, options, fixedLengthPlan);
}

/**
 * Shuffled batches, each padded to its own longest sequence.
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function dynamicLengthBatches<L extends readonly object[]>(
  examples: Examples<L>,
  options: DynamicLengthPlanOptions<NameOf<L[number]>> & Padding<NameOf<L[number]>>,
): Batches<BatchOf<L[number]>> {
  return batchesBy(examples, options, dynamicLengthPlan);
}

/**
 * Batches of sequences of similar length, each padded to its longest sequence.
 *
 * Benesty 2020, "Divide Hugging Face Transformers training time by 2 or more with dynamic padding and uniform length
 * batching".
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function uniformLengthBatches<L extends readonly object[]>(
  examples: Examples<L>,
  options: UniformLengthPlanOptions<NameOf<L[number]>> & Padding<NameOf<L[number]>>,
): Batches<BatchOf<L[number]>> {
  return batchesBy(examples, options, uniformLengthPlan);
}

/**
 * Batches from buckets of lengths, given by boundaries, by quantiles or by the number of shapes (tf.data's
 * `bucket_by_sequence_length`).
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function bucketByLength<L extends readonly object[]>(
  examples: Examples<L>,
  options: BucketPlanOptions<NameOf<L[number]>> & Padding<NameOf<L[number]>>,
): Batches<BatchOf<L[number]>> {
  return batchesBy(examples, options, bucketPlan);
}

/**
 * Batches of sequences of similar length with at most `maxTokens` positions each, padding included (fairseq's
 * `--max-tokens`). The number of rows varies.
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id, a missing label or a sequence over the budget
 */
export function tokenBudgetBatches<L extends readonly object[]>(
  examples: Examples<L>,
  options: TokenBudgetPlanOptions<NameOf<L[number]>> & Padding<NameOf<L[number]>>,
): Batches<BatchOf<L[number]>> {
  return batchesBy(examples, options, tokenBudgetPlan);
}

/**
 * Batches of rows that hold several sequences each (packing, Krell et al. 2021). Attention stays within a sequence.
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function packedBatches<L extends readonly object[]>(
  examples: Examples<L>,
  options: PackedPlanOptions<NameOf<L[number]>> & Padding<NameOf<L[number]>>,
): Batches<BatchOf<L[number]>> {
  return batchesBy(examples, options, packedPlan);
}
