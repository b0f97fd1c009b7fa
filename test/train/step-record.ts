import type { StepRecord } from "../../src/train/index.ts";

/** A step of training, for tests of what is drawn or printed of it. */
export const stepRecord = (step: number, other: Partial<StepRecord> = {}): StepRecord => ({
  step,
  epoch: 0,
  loss: 1.5,
  metrics: { accuracy: 0.5 },
  accuracy: 0.5,
  learningRate: 1e-3,
  milliseconds: 20,
  processor: 30,
  times: { data: 1, gradients: 14, forward: 4, backward: 10, update: 2 },
  elapsed: 20 * step,
  liveBytes: 1,
  peakBytes: 2 ** 20,
  rss: 1,
  sequences: 2,
  tokens: 100,
  usefulTokens: 50,
  ...other,
});
