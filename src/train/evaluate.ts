import type { Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { autocast, type HalfType } from "../amp/index.ts";
import type { Batch } from "../batching/index.ts";
import { tf } from "../runtime/index.ts";
import { readFigures } from "./figure.ts";
import { type Loss, lossOf } from "./loss.ts";
import { checkMetrics, collectMetrics } from "./metrics/collect.ts";
import type { MetricName } from "./metrics/metric-name.ts";
import type { LossForBatchesWithoutLabels, LossFunction, ObjectiveOf } from "./objective.ts";
import type { TrainedModel } from "./trained-model.ts";
import { epochsOf, type TrainingBatches } from "./training-batches.ts";
import type { Evaluation } from "./training-log.ts";

/** Options of `evaluate`. */
export interface EvaluateOptions<Out = Tensor2D, B = Batch> {
  /** The objective, by name or as a function; the cross-entropy of classes by default. */
  loss?: ObjectiveOf<B> | LossFunction<Out, B> | undefined;
  /** The half type of the forward pass; float32 by default. */
  autocast?: HalfType | undefined;
  /**
   * Metrics of classes over all batches together, in place of a metric of that name that the loss reports. Precision, recall and F1
   * are those of class 1 where there are two classes, and means over the classes where there are more.
   */
  metrics?: readonly MetricName[] | undefined;
}

/** The options, which may be left out where the batches have the labels that the default loss needs. */
type EvaluateArguments<Out, B> = "labels" extends keyof B
  ? [options?: EvaluateOptions<Out, B>]
  : [options: EvaluateOptions<Out, B> & LossForBatchesWithoutLabels];

/**
 * Mean loss and metrics over all of `batches`, without dropout: over the examples, or over what the loss counts. The accuracy is
 * NaN where the loss gives none.
 *
 *     evaluate(model, batches, { metrics: ["f1", "auc"] }).metrics.f1
 *
 * @throws RangeError when there is no batch, nothing that the loss counts, or, for `"auc"`, a class without examples; TypeError for a
 *   batch that lacks what the loss needs, and for metrics of classes with another loss
 */
export function evaluate<P extends object, B, Out>(
  model: TrainedModel<P, NoInfer<B>, Out>,
  batches: TrainingBatches<B>,
  ...[{ loss, ...options } = {}]: EvaluateArguments<NoInfer<Out>, NoInfer<B>>
): Omit<Evaluation, "step"> {
  return evaluateLoss(model, batches, lossOf<Out, B>(loss), options);
}

export function evaluateLoss<P extends object, B, Out>(
  model: TrainedModel<P, B, Out>,
  batches: TrainingBatches<B>,
  objective: Loss<Out, B>,
  { autocast: half, metrics: names = [] }: Pick<EvaluateOptions, "autocast" | "metrics">,
): Omit<Evaluation, "step"> {
  checkMetrics(names, objective);
  const collector = names.length > 0 ? collectMetrics(names, objective) : undefined;
  let count = 0;
  let weight = 0;
  let lossSum = 0;
  const sums: Record<string, number> = {};
  for (const batch of epochsOf(batches).epoch(0, 0)) {
    count++;
    const ofBatch = objective.of(batch);
    const forward = () => {
      const outputs = model.apply(model.parameters, batch, { training: false });
      const one = ofBatch.compute(outputs);
      collector?.add(outputs, batch);
      return one;
    };
    const one = withoutTensors(() => {
      if (ofBatch.weight === 0) return { loss: 0, metrics: {}, weight: 0 };
      const { loss, metrics, weight } = half ? autocast(half, forward) : forward();
      return { loss: loss.dataSync()[0]!, metrics: readFigures(metrics, ofBatch.labels), weight };
    });
    if (one.weight === 0) continue;
    weight += one.weight;
    lossSum += one.loss * one.weight;
    for (const [name, figure] of Object.entries(one.metrics)) sums[name] = (sums[name] ?? 0) + figure * one.weight;
  }
  if (count === 0) throw new RangeError("evaluate: expected at least one batch, got none");
  if (weight === 0) throw new RangeError(`evaluate: ${objective.text} has nothing to count in the ${count} batches`);
  const means = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / weight]));
  const metrics = { ...means, ...collector?.end() };
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
