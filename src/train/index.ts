export { type AdafactorOptions, adafactor } from "./adafactor.ts";
export { type AdagradOptions, adagrad } from "./adagrad.ts";
export { type AdamOptions, type AdamWOptions, adam, adamW } from "./adamw.ts";
export type { CheckpointOptions } from "./checkpoint.ts";
export { clipGradNorm, clipGradValue } from "./clip.ts";
export { type Compiled, type CompileOptions, compile } from "./compile.ts";
export { accuracyCurve, lossCurve, memoryTimeline, metricCurve } from "./curves.ts";
export type { Direction, KnownFigure, WatchedFigure } from "./direction.ts";
export type { EarlyStopOptions } from "./early-stop.ts";
export { type Ema, type EmaOptions, ema } from "./ema.ts";
export { type EvaluateOptions, evaluate } from "./evaluate.ts";
export { type Adaptation, type BudgetOptimizer, type Fit, type FitBudgetOptions, fitBudget } from "./fit-budget.ts";
export { valueAndGradients } from "./gradients.ts";
export { type LionOptions, lion } from "./lion.ts";
export { type AucOptions, auc } from "./metrics/auc.ts";
export {
  type Average,
  type Averaged,
  accuracy,
  type ClassMetricOptions,
  f1,
  precision,
  recall,
} from "./metrics/classes.ts";
export { type ConfusionMatrix, type ConfusionMatrixOptions, confusionMatrix } from "./metrics/confusion-matrix.ts";
export type { MetricName } from "./metrics/metric-name.ts";
export { perplexity } from "./metrics/perplexity.ts";
export type { Classes, IgnoreIndex, Scores } from "./metrics/values.ts";
export type {
  LossForBatchesWithoutLabels,
  LossFunction,
  LossIfNeeded,
  LossResult,
  Objective,
  ObjectiveOf,
} from "./objective.ts";
export type { Optimizer, OptimizerOptions } from "./optimizer.ts";
export type { OptimizerGroupState, OptimizerState } from "./optimizer-state.ts";
export type { ParameterGroup } from "./parameter-groups.ts";
export { type PredictMemoryOptions, predictMemory } from "./predict-memory.ts";
export {
  type ObservingSchedule,
  type PlateauOptions,
  type PlateauState,
  reduceOnPlateau,
} from "./reduce-on-plateau.ts";
export { type RmsPropOptions, rmsProp } from "./rms-prop.ts";
export {
  constantRate,
  cosineRate,
  inverseSqrtRate,
  linearRate,
  type OneCycleOptions,
  oneCycleRate,
  type Schedule,
  sequenceRate,
  stepRate,
  type WarmUpOptions,
  warmUp,
} from "./schedule.ts";
export { type SgdOptions, sgd } from "./sgd.ts";
export { stepTimes, trainingFigure } from "./step-figures.ts";
export { historyOf, train } from "./train.ts";
export type { TrainOptions } from "./train-options.ts";
export type { TrainedModel } from "./trained-model.ts";
export type { TrainingBatches } from "./training-batches.ts";
export {
  type Evaluation,
  type History,
  type StepRecord,
  type StepTimes,
  usefulTokensPerSecond,
} from "./training-log.ts";
export type { OptimizerMaker } from "./update-memory.ts";
