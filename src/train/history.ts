/** What one training step was. */
export interface StepRecord {
  /** From 1. */
  step: number;
  /** From 0. */
  epoch: number;
  loss: number;
  /** Share of the batch that the model, before this step, classified right. */
  accuracy: number;
  learningRate: number;
  /** Common norm of the gradients before clipping; absent when nothing is clipped. */
  gradientNorm?: number;
  /** Wall time of the step, the making of its batch included. */
  milliseconds: number;
  /** Since the training began. */
  elapsed: number;
  /** Bytes of tensors after the step, and the most during it. */
  liveBytes: number;
  peakBytes: number;
  rss: number;
  /** Cells of the batch, padding included, and those that are tokens. */
  tokens: number;
  usefulTokens: number;
}

/** How well the model does on data it does not learn from. */
export interface Evaluation {
  /** Steps taken before it; 0 is the untrained model. */
  step: number;
  loss: number;
  accuracy: number;
}

/** A training run, step by step. */
export interface History {
  steps: StepRecord[];
  evaluations: Evaluation[];
  /** Wall time of everything, evaluation included. */
  milliseconds: number;
  /** Why it ended. */
  ended: "all steps taken" | "aborted";
}
