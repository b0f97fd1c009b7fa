import { defineSummary, formatCount } from "../display/define-summary.ts";
import { assemble, checkPadding, type PaddingOptions } from "./assemble.ts";
import type { Batch, ExampleBatch } from "./batch.ts";
import { type BucketPlanOptions, bucketPlan } from "./buckets.ts";
import { featureWidth, withFeatures } from "./features.ts";
import { type PackedPlanOptions, packedPlan } from "./packing.ts";
import type { LengthLimit, Plan } from "./plan.ts";
import { labelsOf, lengthsOf, type Sequence, type SequenceChecks, tokensOf } from "./sequences.ts";
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
  /** The sequences and labels, and how they are padded; absent where a batch is not one rectangle. */
  source?: { sequences: readonly Sequence[]; labels?: Float32Array; padding: PaddingOptions };
  /** The batches of one epoch without the first `from`. */
  epoch(index: number, from?: number): Iterable<B>;
}

type Padding = PaddingOptions & SequenceChecks & Pick<LengthLimit, "truncate">;

/**
 * Batches of the sequences, grouped by any plan, for instance one of your own.
 *
 * @throws RangeError when the plan has another number of sequences, or some labels are missing
 */
export function batchesFrom(sequences: readonly Sequence[], plan: Plan, padding: PaddingOptions = {}): Batches {
  checkPadding(padding);
  if (plan.lengths.length !== sequences.length) {
    throw new RangeError(`the plan has ${plan.lengths.length} sequences, but ${sequences.length} were given`);
  }
  const labels = labelsOf(sequences);
  const width = featureWidth(sequences);
  function* epoch(index: number, from = 0): Generator<Batch> {
    const planned = plan.epoch(index);
    for (let b = from; b < planned.length; b++) {
      const batch = assemble(
        planned[b]!,
        (i) => tokensOf(sequences[i]!),
        (i) => plan.lengths[i]!,
        padding,
      );
      if (labels) batch.labels = Float32Array.from(batch.indices, (i) => labels[i]!);
      yield withFeatures(batch, sequences, width, padding);
    }
  }
  const source = { sequences, padding, ...(labels ? { labels } : {}) };
  const batches = { count: plan.epoch(0).length, plan, source, epoch, [Symbol.iterator]: () => epoch(0) };
  return defineSummary(batches, () => describe(planStatistics(plan)));
}

function describe({ strategy, sequences, batches, useful, paddingShare, shapes }: PlanStatistics): string {
  const padding = `${(100 * paddingShare).toFixed(1)} % padding`;
  return `Batches, ${strategy}: ${formatCount(sequences)} sequences in ${formatCount(batches)} batches of ${formatCount(shapes)} shapes, ${formatCount(useful)} tokens, ${padding}`;
}

/** Options of `fixedLengthBatches`. */
export type FixedLengthOptions = FixedLengthPlanOptions & Padding;

/**
 * Shuffled batches in which every row has `maxLength` tokens. The order of `epoch(n)` depends on `seed` and `n` only, and
 * each example is in exactly one batch of an epoch.
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function fixedLengthBatches(sequences: readonly Sequence[], options: FixedLengthOptions): Batches {
  return batchesFrom(sequences, fixedLengthPlan(lengthsOf(sequences, options), options), options);
}

/**
 * Shuffled batches, each padded to its own longest sequence.
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function dynamicLengthBatches(
  sequences: readonly Sequence[],
  options: DynamicLengthPlanOptions & Padding,
): Batches {
  return batchesFrom(sequences, dynamicLengthPlan(lengthsOf(sequences, options), options), options);
}

/**
 * Batches of sequences of similar length, each padded to its longest sequence.
 *
 * Benesty 2020, "Divide Hugging Face Transformers training time by 2 or more with dynamic padding and uniform length
 * batching".
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function uniformLengthBatches(
  sequences: readonly Sequence[],
  options: UniformLengthPlanOptions & Padding,
): Batches {
  return batchesFrom(sequences, uniformLengthPlan(lengthsOf(sequences, options), options), options);
}

/**
 * Batches from buckets of lengths, given by boundaries, by quantiles or by the number of shapes (tf.data's
 * `bucket_by_sequence_length`).
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function bucketByLength(sequences: readonly Sequence[], options: BucketPlanOptions & Padding): Batches {
  return batchesFrom(sequences, bucketPlan(lengthsOf(sequences, options), options), options);
}

/**
 * Batches of sequences of similar length with at most `maxTokens` positions each, padding included (fairseq's
 * `--max-tokens`). The number of rows varies.
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id, a missing label or a sequence over the budget
 */
export function tokenBudgetBatches(sequences: readonly Sequence[], options: TokenBudgetPlanOptions & Padding): Batches {
  return batchesFrom(sequences, tokenBudgetPlan(lengthsOf(sequences, options), options), options);
}

/**
 * Batches of rows that hold several sequences each (packing, Krell et al. 2021). Attention stays within a sequence.
 *
 * @throws RangeError for an invalid option, an empty sequence, an invalid id or a missing label, with the sequence's index
 */
export function packedBatches(sequences: readonly Sequence[], options: PackedPlanOptions & Padding): Batches {
  return batchesFrom(sequences, packedPlan(lengthsOf(sequences, options), options), options);
}
