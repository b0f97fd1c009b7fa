import type { Scalar, Tensor, Tensor1D, Variable } from "@tensorflow/tfjs-node-gpu";
import type { GradScaler, HalfType } from "../amp/index.ts";
import { deriveSeed } from "../random/index.ts";
import { nativeMemory, resetPeak, tf, uninterrupted } from "../runtime/index.ts";
import { parameterList } from "../tensor/index.ts";
import { batchFigures, exampleCount } from "./batch-figures.ts";
import { batchGradients } from "./batch-gradients.ts";
import type { Loss } from "./loss.ts";
import type { Optimizer } from "./optimizer.ts";
import type { StepFunctions } from "./step-functions.ts";
import { stateOf, type TrainedModel } from "./trained-model.ts";
import type { StepRecord } from "./training-log.ts";

export interface StepOptions<Out, B> {
  /** From 1. */
  step: number;
  learningRate: number | undefined;
  /** The seed of dropout, together with the step. */
  seed: number;
  /** The half type of the forward and backward passes. */
  autocast?: HalfType | undefined;
  scaler?: GradScaler | undefined;
  loss: Loss<Out, B>;
  /** The captured parts of the step; without them it is computed op by op. */
  functions?: StepFunctions | undefined;
}

/**
 * One update from one or several batches. Each batch is weighted by what its loss is a mean over, so the gradient is that of all
 * of them in one batch. When it fails, parameters, running statistics and optimizer are as before.
 */
export function takeStep<P extends object, B, Out>(
  model: TrainedModel<P, B, Out>,
  optimizer: Optimizer,
  batches: readonly B[],
  options: StepOptions<Out, B>,
): Omit<StepRecord, "epoch" | "milliseconds" | "processor" | "elapsed"> {
  const { step, learningRate, scaler, functions } = options;
  resetPeak();
  const lossScale = scaler?.getScale();
  const clock = stopwatch();
  let skipped = false;
  const { sums, gradientNorm } = tf.tidy(() => {
    const state = stateOf(model);
    try {
      const { gradients, ...sums } = accumulated(model, optimizer.variables, batches, options, clock.lap);
      // With a scaler an overflow lowers the scale, and only a finite step gets here.
      const change =
        <Given>(update: (ready: Given, rate?: number) => Scalar | undefined) =>
        (ready: Given) => {
          checkFinite(sums.loss, step, model.parameters);
          const take = () => update(ready, learningRate);
          const norm = functions ? functions.update.run(() => tf.tidy(() => take() as Scalar)) : take();
          return { norm: norm?.dataSync()[0] };
        };
      const { flat } = optimizer.step;
      const own = { step: Object.assign(change<Tensor[]>(optimizer.step), flat && { flat: change<Tensor1D>(flat) }) };
      // Not interruptible, so that a stopped training has the state between two steps.
      const taken = uninterrupted(() => {
        if (!scaler) return own.step(gradients);
        const stepped = scaler.step(own, gradients);
        updateScale(scaler, step);
        return stepped;
      });
      skipped = taken === undefined;
      clock.lap("update");
      return { sums, gradientNorm: taken?.norm };
    } catch (error) {
      state.restore();
      throw error;
    }
  });
  const { live, peak } = nativeMemory();
  return {
    step,
    loss: sums.loss,
    metrics: sums.metrics,
    accuracy: sums.metrics.accuracy ?? Number.NaN,
    learningRate: learningRate ?? optimizer.learningRate,
    ...(gradientNorm === undefined ? {} : { gradientNorm }),
    ...(lossScale === undefined ? {} : { lossScale, skipped }),
    times: { data: 0, ...clock.times },
    liveBytes: live,
    peakBytes: peak,
    rss: process.memoryUsage.rss(),
    ...batchFigures(batches, sums.examples),
  };
}

function updateScale(scaler: GradScaler, step: number): void {
  try {
    scaler.update();
  } catch (error) {
    throw new Error(`step ${step}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function checkFinite(loss: number, step: number, parameters: object): void {
  if (Number.isFinite(loss)) return;
  const broken = parameterList(parameters).find(({ variable }) => !variable.dataSync().every(Number.isFinite));
  throw new Error(
    broken
      ? `the loss is ${loss} at step ${step}, because the parameter ${broken.name} is not finite: the gradient of an earlier step was not, for instance of sqrt or norm at 0`
      : `the loss is ${loss} at step ${step}: lower the learning rate, or clip the gradients`,
  );
}

interface Accumulated {
  loss: number;
  metrics: Record<string, number>;
  gradients: Tensor[];
  /** The number of examples of each batch. */
  examples: number[];
}

/** Loss, metrics and gradients of all batches as if they were one. */
function accumulated<P extends object, B, Out>(
  model: TrainedModel<P, B, Out>,
  variables: readonly Variable[],
  batches: readonly B[],
  options: StepOptions<Out, B>,
  lap: (part: Part) => void,
): Accumulated {
  const { loss, step } = options;
  const weights = loss.weigh && batches.map(loss.weigh);
  const total = weights?.reduce((sum, weight) => sum + weight, 0);
  const sums: Accumulated = { loss: 0, metrics: {}, gradients: [], examples: [] };
  let counted = 0;
  batches.forEach((batch, b) => {
    if (weights?.[b] === 0) {
      sums.examples.push(exampleCount(batch, undefined));
      return;
    }
    const share = weights ? weights[b]! / total! : 1;
    const seed = deriveSeed(options.seed, step, b);
    const one = batchGradients(model, variables, batch, { ...options, seed, share, forwardDone: () => lap("forward") });
    lap("backward");
    sums.examples.push(one.examples);
    if (one.weight === 0) return;
    counted += one.weight;
    // Where the weights are not known beforehand, the mean of the batches so far, instead of a share of all.
    const taken = weights ? share : one.weight / counted;
    const kept = weights ? 1 : 1 - taken;
    sums.loss = sums.loss * kept + one.loss * (weights ? 1 : taken);
    for (const [name, figure] of Object.entries(one.metrics)) {
      sums.metrics[name] = (sums.metrics[name] ?? 0) * kept + figure * taken;
    }
    sums.gradients = added(sums.gradients, one.gradients, kept, weights ? 1 : taken);
  });
  if (counted === 0) {
    throw new Error(
      `step ${step}: ${loss.text} has nothing to count in ${batches.length === 1 ? "the batch" : "the batches"}: every label is ignored, or the weight is 0`,
    );
  }
  return sums;
}

/** `kept` times the sum and `taken` times the new gradients, both disposed. */
function added(sum: Tensor[], more: Tensor[], kept: number, taken: number): Tensor[] {
  if (sum.length === 0) return more;
  const times = (tensor: Tensor, factor: number) => (factor === 1 ? tensor : tf.mul(tensor, factor));
  const total = tf.tidy(() => sum.map((gradient, i) => tf.add(times(gradient, kept), times(more[i]!, taken))));
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
