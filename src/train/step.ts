import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import type { GradScaler } from "../amp/index.ts";
import { isPure } from "../nn/pure.ts";
import { nativeMemory, resetPeak, tf, uninterrupted } from "../runtime/index.ts";
import { parameterList } from "../tensor/index.ts";
import type { Optimizer } from "./optimizer.ts";
import { stepTimes, stopwatch } from "./step-clock.ts";
import type { StepOptions } from "./step-options.ts";
import { stateOf, type TrainedModel } from "./trained-model.ts";
import type { StepRecord } from "./training-log.ts";
import { sumOfWorkers } from "./worker-sum.ts";

/**
 * One update from one or several batches. Each batch is weighted by what its loss is a mean over, so the gradient is that of all
 * of them in one batch. Several workers take the step together: each gives its part of the batches, or nothing where it has none,
 * and all get the gradient of all. When it fails, parameters, running statistics and optimizer are as before.
 */
export function takeStep<P extends object, B, Out>(
  model: TrainedModel<P, B, Out>,
  optimizer: Optimizer,
  batches: readonly (B | undefined)[],
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
      const { gradients, ...sums } = sumOfWorkers(model, optimizer.variables, batches, {
        ...options,
        parameters: state.variables,
        lap: clock.lap,
      });
      // With a scaler an overflow lowers the scale, and only a finite step gets here.
      const change =
        <Given>(update: (ready: Given, rate?: number) => Scalar | undefined) =>
        (ready: Given) => {
          checkFinite(sums.loss, step, model.parameters);
          const take = () => update(ready, learningRate);
          const replay = isPure(update) ? { key: [update], inputs: ready, given: { learningRate } } : undefined;
          const norm = functions ? functions.update.run(() => tf.tidy(() => take() as Scalar), { replay }) : take();
          tf.dispose(ready as Tensor[]);
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
    times: { data: 0, ...stepTimes(clock.times) },
    liveBytes: live,
    peakBytes: peak,
    rss: process.memoryUsage.rss(),
    ...sums.figures,
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
