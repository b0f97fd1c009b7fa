import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { deriveSeed } from "../random/index.ts";
import { tf } from "../runtime/index.ts";
import { type BatchFigures, batchFigures, exampleCount } from "./batch-figures.ts";
import { batchGradients } from "./batch-gradients.ts";
import type { BatchObjective } from "./objective.ts";
import type { Part } from "./step-clock.ts";
import type { StepOptions } from "./step-options.ts";
import type { TrainedModel } from "./trained-model.ts";

/** What the batches of a step give together. */
export interface BatchSum {
  loss: number;
  metrics: Record<string, number>;
  gradients: Tensor[];
  /** How many the loss is a mean over. */
  counted: number;
  figures: BatchFigures;
}

/** A batch with its objective, and its number in the step. */
export interface OwnBatch<B, Out> {
  batch: B;
  objective: BatchObjective<Out>;
  index: number;
}

export interface BatchSumOptions<Out, B> extends StepOptions<Out, B> {
  /** What the weights of all batches of the step add up to, where it is known beforehand: then these are shares of the whole. */
  total: number | undefined;
  /** All variables of the model. */
  parameters: readonly Variable[];
  lap: (part: Part) => void;
}

/** Loss, metrics and gradients of batches as if they were one; without gradients where nothing counts. */
export function sumOfBatches<P extends object, B, Out>(
  model: TrainedModel<P, B, Out>,
  variables: readonly Variable[],
  batches: readonly OwnBatch<B, Out>[],
  options: BatchSumOptions<Out, B>,
): BatchSum {
  const { step, part, total, lap } = options;
  const isKnown = total !== undefined;
  const sums = { loss: 0, metrics: {} as Record<string, number>, gradients: [] as Tensor[], counted: 0 };
  const examples: number[] = [];
  for (const { batch, objective, index } of batches) {
    if (objective.weight === 0) {
      examples.push(exampleCount(batch, undefined));
      continue;
    }
    const share = isKnown ? objective.weight! / total : 1;
    const seed = deriveSeed(options.seed, step, index, ...(part > 0 ? [part] : []));
    let isApart = false;
    const forwardDone = () => {
      isApart = true;
      lap("forward");
    };
    const one = batchGradients(model, variables, batch, { ...options, objective, seed, share, forwardDone });
    lap(isApart ? "backward" : "both");
    examples.push(one.examples);
    if (one.weight === 0) continue;
    sums.counted += one.weight;
    // Where the weights are not known beforehand, the mean of the batches so far, instead of a share of all.
    const taken = isKnown ? share : one.weight / sums.counted;
    const kept = isKnown ? 1 : 1 - taken;
    sums.loss = sums.loss * kept + one.loss * (isKnown ? 1 : taken);
    for (const [name, figure] of Object.entries(one.metrics)) {
      sums.metrics[name] = (sums.metrics[name] ?? 0) * kept + figure * taken;
    }
    sums.gradients = added(sums.gradients, one.gradients, kept, isKnown ? 1 : taken);
  }
  const figures = batchFigures(
    batches.map(({ batch }) => batch),
    examples,
  );
  return { ...sums, figures };
}

/** `kept` times the sum and `taken` times the new gradients, both disposed. */
function added(sum: Tensor[], more: Tensor[], kept: number, taken: number): Tensor[] {
  if (sum.length === 0) return more;
  const times = (tensor: Tensor, factor: number) => (factor === 1 ? tensor : tf.mul(tensor, factor));
  const total = tf.tidy(() => sum.map((gradient, i) => tf.add(times(gradient, kept), times(more[i]!, taken))));
  tf.dispose([...sum, ...more]);
  return total;
}
