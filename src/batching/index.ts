export { type ArrayBatch, type ArrayBatchesOptions, arrayBatches, type ExampleArray } from "./arrays.ts";
export type { PaddingOptions } from "./assemble.ts";
export {
  type Batch,
  type BatchSizes,
  batchSizes,
  type ExampleBatch,
  type LabelledBatch,
  type PaddingStatistics,
  paddingStatistics,
  usefulTokens,
} from "./batch.ts";
export {
  type Batches,
  batchesFrom,
  bucketByLength,
  dynamicLengthBatches,
  type FixedLengthOptions,
  fixedLengthBatches,
  packedBatches,
  tokenBudgetBatches,
  uniformLengthBatches,
} from "./batches.ts";
export { type BucketEdges, type BucketPlanOptions, bucketBoundaries, bucketPlan } from "./buckets.ts";
export { type BatchOf, type Examples, lengthsOf, type NameOf } from "./examples.ts";
export { type BatchRectanglesOptions, batchRectangles, paddingComparison } from "./figures.ts";
export type { LengthLimit, LengthRule, Lengths, PerName } from "./lengths.ts";
export { type AttentionMaskOptions, attentionMask, type MaskedTokens } from "./masks.ts";
export type { GroupingOptions } from "./order.ts";
export { type PackedPlanOptions, type PackOptions, packedPlan } from "./packing.ts";
export { type DynamicPadOptions, dynamicPad, type FixedPadOptions, fixedPad, pack } from "./pad.ts";
export { type DataCursor, type Plan, type PlannedBatch, plan, planFrom } from "./plan.ts";
export type { Label, Sequence, SequenceChecks } from "./sequences.ts";
export { type PlanStatistics, planStatistics } from "./statistics.ts";
export {
  type DynamicLengthPlanOptions,
  dynamicLengthPlan,
  type FixedLengthPlanOptions,
  fixedLengthPlan,
  type TokenBudgetPlanOptions,
  tokenBudgetPlan,
  type UniformLengthPlanOptions,
  uniformLengthPlan,
} from "./strategies.ts";
export { type NamedBatch, type NamedBatches, namedTensors } from "./tensors.ts";
export { epochWork, stepWork, type TransformerSizes } from "./work.ts";
