/** What one training step was. */
export interface StepRecord {
  /** From 1. */
  step: number;
  /** From 0. */
  epoch: number;
  loss: number;
  /** Share of the batch that the model, before this step, classified right; NaN in a regression. */
  accuracy: number;
  learningRate: number;
  /** Common norm of the gradients before clipping; absent when nothing is clipped. */
  gradientNorm?: number;
  /** What the loss was multiplied by, and whether a gradient overflowed, so that nothing was learned; with a `scaler`. */
  lossScale?: number;
  skipped?: boolean;
  /** Wall time of the step, the making of its batch included. */
  milliseconds: number;
  /** Processor time of the process in it, all threads together, in milliseconds: what other programs do hardly disturbs it. */
  processor: number;
  /** Milliseconds of it in making the batch, in the forward and backward passes, and in the update. */
  times: StepTimes;
  /** Since the training began. */
  elapsed: number;
  /** Bytes of tensors after the step, and the most during it. */
  liveBytes: number;
  peakBytes: number;
  rss: number;
  /** Sequences in the step's batches. */
  sequences: number;
  /** Cells of the batch, padding included, and those that are tokens. */
  tokens: number;
  usefulTokens: number;
}

export interface StepTimes {
  data: number;
  forward: number;
  backward: number;
  update: number;
}

/** How well the model does on data it does not learn from. */
export interface Evaluation {
  /** Steps taken before it; 0 is the untrained model. */
  step: number;
  loss: number;
  /** NaN in a regression. */
  accuracy: number;
}

/** A training run, step by step. */
export interface History {
  steps: StepRecord[];
  evaluations: Evaluation[];
  /** Wall time of everything, evaluation included. */
  milliseconds: number;
  /** Why it ended; "unfinished" while it runs, and when Stop or an error has ended it. */
  ended: "unfinished" | "all steps taken" | "aborted" | "no longer improving";
  /** The evaluation that early stopping found best. */
  best?: Evaluation;
}

/**
 * Tokens a second that are not padding, over whole steps; the first `skip` steps, in which caches are filled, are left
 * out (1 by default). `by: "processor"` counts seconds of processor time.
 */
export function usefulTokensPerSecond(
  steps: readonly StepRecord[],
  { skip = 1, by = "milliseconds" }: { skip?: number; by?: "milliseconds" | "processor" } = {},
): number {
  const counted = steps.length > skip ? steps.slice(skip) : steps;
  const milliseconds = counted.reduce((sum, step) => sum + step[by], 0);
  return milliseconds > 0 ? (1000 * counted.reduce((sum, step) => sum + step.usefulTokens, 0)) / milliseconds : 0;
}
