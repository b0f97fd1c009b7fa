import type { Scalar, Tensor, Tensor1D, Variable } from "@tensorflow/tfjs-node-gpu";
import { autocast, type GradScaler, type HalfType } from "../amp/index.ts";
import { type Batch, usefulTokens } from "../batching/index.ts";
import type { Classifier } from "../nn/index.ts";
import { deriveSeed } from "../random/index.ts";
import { nativeMemory, resetPeak, tf, uninterrupted } from "../runtime/index.ts";
import { valueAndGradients } from "./gradients.ts";
import { computeLoss, type Objective } from "./loss.ts";
import type { Optimizer } from "./optimizer.ts";
import type { StepRecord } from "./training-log.ts";

export interface StepOptions {
  /** From 1. */
  step: number;
  learningRate: number | undefined;
  /** The seed of dropout, together with the step. */
  seed: number;
  /** The half type of the forward and backward passes. */
  autocast?: HalfType | undefined;
  scaler?: GradScaler | undefined;
  loss: Objective;
}

/**
 * One update from one or several batches. Each batch is weighted by its number of sequences, so the gradient is that of all of
 * them in one batch.
 */
export function takeStep(
  model: Classifier,
  optimizer: Optimizer,
  batches: readonly Batch[],
  options: StepOptions,
): Omit<StepRecord, "epoch" | "milliseconds" | "processor" | "elapsed"> {
  const { step, learningRate, scaler } = options;
  resetPeak();
  const lossScale = scaler?.getScale();
  const clock = stopwatch();
  const sequences = batches.reduce((sum, { indices }) => sum + indices.length, 0);
  let skipped = false;
  const [loss, accuracy, gradientNorm] = tf.tidy(() => {
    const sums = { loss: 0, accuracy: 0 };
    let gradients: Tensor[] | undefined;
    batches.forEach((batch, b) => {
      const share = batch.indices.length / sequences;
      const seed = deriveSeed(options.seed, step, b);
      const one = lossAndGradients(model, optimizer.variables, batch, share, { ...options, seed }, () =>
        clock.lap("forward"),
      );
      clock.lap("backward");
      sums.loss += one.loss;
      sums.accuracy += one.accuracy * share;
      gradients = gradients ? added(gradients, one.gradients) : one.gradients;
    });
    const read = (norm: Scalar | undefined) => ({ norm: norm?.dataSync()[0] });
    const change = (ready: Tensor[]) => read(optimizer.step(ready, learningRate));
    const { flat } = optimizer.step;
    if (flat) change.flat = (ready: Tensor1D) => read(flat(ready, learningRate));
    // Not interruptible, so that a stopped training has the state between two steps.
    const taken = uninterrupted(() => {
      const norm = scaler ? scaler.step({ step: change }, gradients!) : change(gradients!);
      updateScale(scaler, step);
      return norm;
    });
    skipped = taken === undefined;
    const norm = taken?.norm;
    clock.lap("update");
    return [sums.loss, sums.accuracy, norm];
  });
  const { live, peak } = nativeMemory();
  return {
    step,
    loss: loss!,
    accuracy: accuracy!,
    learningRate: learningRate ?? optimizer.learningRate,
    ...(gradientNorm === undefined ? {} : { gradientNorm }),
    ...(lossScale === undefined ? {} : { lossScale, skipped }),
    times: { data: 0, ...clock.times },
    liveBytes: live,
    peakBytes: peak,
    rss: process.memoryUsage.rss(),
    sequences,
    tokens: batches.reduce((sum, { rows, time }) => sum + rows * time, 0),
    usefulTokens: batches.reduce((sum, batch) => sum + usefulTokens(batch), 0),
  };
}

function updateScale(scaler: GradScaler | undefined, step: number): void {
  try {
    scaler?.update();
  } catch (error) {
    throw new Error(`step ${step}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function lossAndGradients(
  model: Classifier,
  variables: readonly Variable[],
  batch: Batch,
  share: number,
  { seed, autocast: half, scaler, loss: objective }: StepOptions,
  forwardDone: () => void,
) {
  let right: Scalar | undefined;
  let unscaled: Scalar | undefined;
  let read: number | undefined;
  const forward = () => {
    const outputs = model.apply(model.parameters, batch, { training: true, seed });
    const { loss, accuracy } = computeLoss(objective, outputs, batch);
    right = accuracy && tf.keep(accuracy);
    return share === 1 ? loss : (tf.mul(loss, share) as Scalar);
  };
  const { value, gradients } = valueAndGradients(
    () => {
      const loss = half ? autocast(half, forward) : forward();
      if (!scaler) return loss;
      // The loss without the scale, because a large scale can make the product infinite.
      unscaled = tf.keep(loss);
      return scaler.scale(loss);
    },
    variables,
    // Reading the loss waits for a GPU, so that the forward pass has ended when its time is measured.
    (loss) => {
      read = (unscaled ?? loss).dataSync()[0]!;
      forwardDone();
    },
  );
  const accuracy = right?.dataSync()[0] ?? Number.NaN;
  tf.dispose([value, right, unscaled].filter((tensor) => tensor !== undefined));
  return { loss: read!, accuracy, gradients };
}

function added(sum: Tensor[], more: Tensor[]): Tensor[] {
  const total = sum.map((gradient, i) => tf.add(gradient, more[i]!));
  tf.dispose([...sum, ...more]);
  return total;
}

type Part = "forward" | "backward" | "update";

function stopwatch() {
  const times: Record<Part, number> = { forward: 0, backward: 0, update: 0 };
  let last = performance.now();
  const lap = (part: Part) => {
    const now = performance.now();
    times[part] += now - last;
    last = now;
  };
  return { times, lap };
}
