import { defineSummary, formatCount } from "../display/define-summary.ts";
import { assemble, checkPadding, type PaddingOptions } from "./assemble.ts";
import type { Batch } from "./batch.ts";
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

/** Batches that can be gone through again and again; each pass is one epoch, iterating gives the first. */
export interface Batches extends Iterable<Batch> {
  /** How many batches the first epoch has; others may differ where the strategy draws them anew. */
  count: number;
  /** Which sequences share a batch. */
  plan: Plan;
  /** Where the tokens and labels come from, and how they are padded. */
  source: { sequences: readonly Sequence[]; labels?: Float32Array; padding: PaddingOptions };
  /** The batches of one epoch, the same ones each time it is asked for, leaving out the first `from`. */
  epoch(index: number, from?: number): Iterable<Batch>;
}

type Padding = PaddingOptions & SequenceChecks & Pick<LengthLimit, "truncate">;

/**
 * Batches of these sequences as `plan` groups them: any plan, for instance one of your own.
 *
 * @throws RangeError when the plan was made of other lengths, or a label is missing
 */
export function batchesFrom(sequences: readonly Sequence[], plan: Plan, padding: PaddingOptions = {}): Batches {
  checkPadding(padding);
  if (plan.lengths.length !== sequences.length) {
    throw new RangeError(`the plan is of ${plan.lengths.length} sequences and ${sequences.length} are given`);
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

export type FixedLengthOptions = FixedLengthPlanOptions & Padding;

/**
 * Shuffled batches in which every row is `maxLength` long. `epoch(n)` is in an order that depends on `seed` and `n` only.
 * Each example is in exactly one batch of an epoch.
 */
export function fixedLengthBatches(sequences: readonly Sequence[], options: FixedLengthOptions): Batches {
  return batchesFrom(sequences, fixedLengthPlan(lengthsOf(sequences, options), options), options);
}

/** Shuffled batches, each padded to its own longest sequence. */
export function dynamicLengthBatches(
  sequences: readonly Sequence[],
  options: DynamicLengthPlanOptions & Padding,
): Batches {
  return batchesFrom(sequences, dynamicLengthPlan(lengthsOf(sequences, options), options), options);
}

/**
 * Batches of sequences of about the same length, each padded to its longest.
 *
 * Benesty 2020, "Divide Hugging Face Transformers training time by 2 or more with dynamic padding and uniform length
 * batching".
 */
export function uniformLengthBatches(
  sequences: readonly Sequence[],
  options: UniformLengthPlanOptions & Padding,
): Batches {
  return batchesFrom(sequences, uniformLengthPlan(lengthsOf(sequences, options), options), options);
}

/** Batches from buckets of lengths, by given boundaries, by quantiles, or by how many shapes there may be. */
export function bucketByLength(sequences: readonly Sequence[], options: BucketPlanOptions & Padding): Batches {
  return batchesFrom(sequences, bucketPlan(lengthsOf(sequences, options), options), options);
}

/** Batches of similar lengths with at most `maxTokens` cells each, however many rows that is. */
export function tokenBudgetBatches(sequences: readonly Sequence[], options: TokenBudgetPlanOptions & Padding): Batches {
  return batchesFrom(sequences, tokenBudgetPlan(lengthsOf(sequences, options), options), options);
}

/** Batches of rows that hold several sequences each, which do not see each other. */
export function packedBatches(sequences: readonly Sequence[], options: PackedPlanOptions & Padding): Batches {
  return batchesFrom(sequences, packedPlan(lengthsOf(sequences, options), options), options);
}
