import type { GradScaler, HalfType } from "../amp/index.ts";
import type { Loss } from "./loss.ts";
import type { StepFunctions } from "./step-functions.ts";

export interface StepOptions<Out, B> {
  /** From 1. */
  step: number;
  learningRate: number | undefined;
  /** The seed of dropout, together with the step. */
  seed: number;
  /** The half type of the forward and backward passes. */
  autocast?: HalfType | undefined;
  scaler?: GradScaler | undefined;
  /** As in `ApplyOptions`. */
  gradientCheckpointing: boolean | number;
  loss: Loss<Out, B>;
  /** Which part of each batch this is, where workers divide them, from 0. */
  part: number;
  /** The type in which workers exchange gradients. */
  reduceIn?: HalfType | undefined;
  /** The captured parts of the step; without them it is computed op by op. */
  functions?: StepFunctions | undefined;
}
