import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { type Batch, usefulTokens } from "../batching/index.ts";
import { type Classifier, crossEntropy, labelTensor } from "../nn/index.ts";
import { nativeMemory, resetPeak, tf } from "../runtime/index.ts";
import { correctShare } from "./evaluate.ts";
import { valueAndGradients } from "./gradients.ts";
import type { StepRecord } from "./history.ts";
import type { Optimizer } from "./optimizer.ts";

export interface StepOptions {
  /** From 1. */
  step: number;
  learningRate: number | undefined;
  /** Decides, with the step, what dropout drops. */
  seed: number;
}

/** Far apart, so that the batches of one step and those of another do not drop the same values. */
const BETWEEN_BATCHES = 1_000_003;

/**
 * One update from one or several batches. Each batch counts by how many sequences it has, so the gradient is that of all of
 * them in one batch.
 */
export function takeStep(
  model: Classifier,
  optimizer: Optimizer,
  batches: readonly Batch[],
  { step, learningRate, seed }: StepOptions,
): Omit<StepRecord, "epoch" | "milliseconds" | "elapsed"> {
  resetPeak();
  const clock = stopwatch();
  const sequences = batches.reduce((sum, { indices }) => sum + indices.length, 0);
  const [loss, accuracy, gradientNorm] = tf.tidy(() => {
    const sums = { loss: 0, accuracy: 0 };
    let gradients: Tensor[] | undefined;
    batches.forEach((batch, b) => {
      const share = batch.indices.length / sequences;
      const one = lossAndGradients(model, optimizer.variables, batch, share, seed + step + b * BETWEEN_BATCHES, () =>
        clock.lap("forward"),
      );
      clock.lap("backward");
      sums.loss += one.loss;
      sums.accuracy += one.accuracy * share;
      gradients = gradients ? added(gradients, one.gradients) : one.gradients;
    });
    const norm = optimizer.step(gradients!, learningRate)?.dataSync()[0];
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
    times: { data: 0, ...clock.times },
    liveBytes: live,
    peakBytes: peak,
    rss: process.memoryUsage.rss(),
    sequences,
    tokens: batches.reduce((sum, { rows, time }) => sum + rows * time, 0),
    usefulTokens: batches.reduce((sum, batch) => sum + usefulTokens(batch), 0),
  };
}

function lossAndGradients(
  model: Classifier,
  variables: readonly Variable[],
  batch: Batch,
  share: number,
  seed: number,
  forwardDone: () => void,
) {
  let right: Scalar | undefined;
  let read: number | undefined;
  const { value, gradients } = valueAndGradients(
    () => {
      const labels = labelTensor(batch);
      const logits = model.apply(model.parameters, batch, { training: true, seed: seed | 0 });
      right = tf.keep(correctShare(logits, labels));
      const loss = crossEntropy(logits, labels);
      return share === 1 ? loss : tf.mul(loss, share);
    },
    variables,
    // Reading the loss waits for a GPU, so that the forward pass is over when its time is taken.
    (loss) => {
      read = loss.dataSync()[0]!;
      forwardDone();
    },
  );
  const accuracy = right!.dataSync()[0]!;
  tf.dispose([value, right!]);
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
