import type { Objective } from "./objective.ts";

/**
 * The measurements of one training step. Where there are several workers, loss, metrics and counts are those of all of them, times and
 * bytes those of this one.
 */
export interface StepRecord {
  /** From 1. */
  step: number;
  /** From 0. */
  epoch: number;
  loss: number;
  /** What the loss reports beside itself, by name, over the step's batches before the update. */
  metrics: Readonly<Record<string, number>>;
  /** `metrics.accuracy`: the share that the model classified correctly; NaN where the loss gives none, as in a regression. */
  accuracy: number;
  learningRate: number;
  /** Common norm of the gradients before clipping; absent when nothing is clipped. */
  gradientNorm?: number;
  /** The loss scale, if there is a `scaler`. */
  lossScale?: number;
  /** Whether a gradient overflowed, so that the update was skipped, if there is a `scaler`. */
  skipped?: boolean;
  /** Wall time of the step in milliseconds, the making of its batch included. */
  milliseconds: number;
  /** Processor time of all threads during the step in milliseconds; other programs hardly affect it. */
  processor: number;
  /** Milliseconds of each part of the step. */
  times: StepTimes;
  /** Milliseconds since the training began. */
  elapsed: number;
  /** Bytes of tensors after the step. */
  liveBytes: number;
  /** The most bytes of tensors during the step. */
  peakBytes: number;
  /** Resident set size of the process after the step, in bytes. */
  rss: number;
  /** Examples in the step's batches: sequences, pairs of them, images. */
  sequences: number;
  /** Positions of all sequences in the step's batches, padding included; 0 for data without sequences. */
  tokens: number;
  /** Tokens in the step's batches, padding not included. */
  usefulTokens: number;
}

/** Milliseconds of the parts of a step. */
export interface StepTimes {
  /** For making the batch. */
  data: number;
  /** For the forward and the backward pass. */
  gradients: number;
  /** For each of the two; absent where a captured step computed both at once, or was recorded for that. */
  forward?: number;
  backward?: number;
  /** For exchanges with other workers, waiting included; absent where there are none. */
  exchange?: number;
  update: number;
}

/** The loss and metrics on the validation batches. */
export interface Evaluation {
  /** Steps taken before the evaluation; 0 is the untrained model. */
  step: number;
  loss: number;
  /** What the loss reports beside itself, by name. */
  metrics: Readonly<Record<string, number>>;
  /** `metrics.accuracy`; NaN where the loss gives none, as in a regression. */
  accuracy: number;
}

/** The steps and evaluations of a training run. */
export interface History {
  steps: StepRecord[];
  evaluations: Evaluation[];
  /** The name of the loss; absent where it is a function. */
  loss?: Objective;
  /** Wall time in milliseconds, evaluations included. */
  milliseconds: number;
  /** Why the run ended; "unfinished" while it runs, and after an interrupt or an error. */
  ended: "unfinished" | "all steps taken" | "aborted" | "no longer improving";
  /** The evaluation that early stopping found best. */
  best?: Evaluation;
}

/**
 * Tokens per second, padding not counted, over whole steps. The first `skip` steps (1 by default), which fill caches, are left
 * out. `by: "processor"` divides by processor time instead of wall time.
 */
export function usefulTokensPerSecond(
  steps: readonly StepRecord[],
  { skip = 1, by = "milliseconds" }: { skip?: number; by?: "milliseconds" | "processor" } = {},
): number {
  return perSecond("usefulTokens", steps, skip, by);
}

/** Useful tokens per second, or examples where the data has no sequences. */
export function speedOf(steps: readonly StepRecord[]): { value: number; unit: string } {
  const counts = steps.some(({ tokens }) => tokens > 0);
  return counts
    ? { value: perSecond("usefulTokens", steps), unit: "useful tokens/s" }
    : { value: perSecond("sequences", steps), unit: "examples/s" };
}

function perSecond(
  what: "usefulTokens" | "sequences",
  steps: readonly StepRecord[],
  skip = 0,
  by: "milliseconds" | "processor" = "milliseconds",
): number {
  const counted = steps.length > skip ? steps.slice(skip) : steps;
  const milliseconds = counted.reduce((sum, step) => sum + step[by], 0);
  return milliseconds > 0 ? (1000 * counted.reduce((sum, step) => sum + step[what], 0)) / milliseconds : 0;
}
