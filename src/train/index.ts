export { type AdamWOptions, adamW, type Optimizer } from "./adamw.ts";
export { evaluate } from "./evaluate.ts";
export { valueAndGradients } from "./gradients.ts";
export type { Evaluation, History, StepRecord } from "./history.ts";
export { type Schedule, type WarmUpOptions, warmUp } from "./schedule.ts";
export { type TrainOptions, train } from "./train.ts";
