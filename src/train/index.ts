export { type AdamWOptions, adamW, type Optimizer, type OptimizerState } from "./adamw.ts";
export type { CheckpointOptions } from "./checkpoint.ts";
export type { EarlyStopOptions } from "./early-stop.ts";
export { evaluate } from "./evaluate.ts";
export { valueAndGradients } from "./gradients.ts";
export { type Evaluation, type History, type StepRecord, type StepTimes, usefulTokensPerSecond } from "./history.ts";
export { type Schedule, type WarmUpOptions, warmUp } from "./schedule.ts";
export { type TrainOptions, train } from "./train.ts";
