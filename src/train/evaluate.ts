import type { Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { autocast, type HalfType } from "../amp/index.ts";
import type { Batch } from "../batching/index.ts";
import { tf } from "../runtime/index.ts";
import { type Loss, lossOf } from "./loss.ts";
import type { LossFunction, ObjectiveOf } from "./objective.ts";
import type { TrainedModel } from "./trained-model.ts";
import { epochsOf, type TrainingBatches } from "./training-batches.ts";
import type { Evaluation } from "./training-log.ts";

/** Options of `evaluate`. */
export interface EvaluateOptions<Out = Tensor2D, B = Batch> {
  /** The objective, by name or as a function; the cross-entropy of classes by default. */
  loss?: ObjectiveOf<B> | LossFunction<Out, B> | undefined;
  /** The half type of the forward pass; float32 by default. */
  autocast?: HalfType | undefined;
}

/**
 * Mean loss and metrics over all of `batches`, without dropout: over the examples, or over what the loss counts. The accuracy is
 * NaN where the loss gives none.
 *
 * @throws RangeError when there is no batch, or nothing that the loss counts; TypeError for a batch that lacks what the loss needs
 */
export function evaluate<P extends object, B, Out>(
  model: TrainedModel<P, NoInfer<B>, Out>,
  batches: TrainingBatches<B>,
  { loss, autocast }: EvaluateOptions<NoInfer<Out>, NoInfer<B>> = {},
): Omit<Evaluation, "step"> {
  return evaluateLoss(model, batches, lossOf<Out, B>(loss), autocast);
}

export function evaluateLoss<P extends object, B, Out>(
  model: TrainedModel<P, B, Out>,
  batches: TrainingBatches<B>,
  objective: Loss<Out, B>,
  half: HalfType | undefined,
): Omit<Evaluation, "step"> {
  let count = 0;
  let weight = 0;
  let lossSum = 0;
  const sums: Record<string, number> = {};
  for (const batch of epochsOf(batches).epoch(0, 0)) {
    count++;
    const forward = () => objective.compute(model.apply(model.parameters, batch, { training: false }), batch);
    const one = withoutTensors(() => {
      if (objective.weigh?.(batch) === 0) return { loss: 0, metrics: {}, weight: 0 };
      const { loss, ...figures } = half ? autocast(half, forward) : forward();
      return { ...figures, loss: loss.dataSync()[0]! };
    });
    if (one.weight === 0) continue;
    weight += one.weight;
    lossSum += one.loss * one.weight;
    for (const [name, figure] of Object.entries(one.metrics)) sums[name] = (sums[name] ?? 0) + figure * one.weight;
  }
  if (count === 0) throw new RangeError("evaluate: expected at least one batch, got none");
  if (weight === 0) throw new RangeError(`evaluate: ${objective.text} has nothing to count in the ${count} batches`);
  const metrics = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / weight]));
  return { loss: lossSum / weight, accuracy: metrics.accuracy ?? Number.NaN, metrics };
}

/** The numbers that `f` gives, once its tensors are disposed. */
function withoutTensors<T>(f: () => T): T {
  let result: T | undefined;
  tf.tidy(() => {
    result = f();
  });
  return result as T;
}
