import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import type { HalfType } from "../amp/index.ts";
import { reduceVector } from "../distributed/distributed.ts";
import { place } from "../distributed/exchange.ts";
import { gathered } from "../distributed/gather.ts";
import { flatten, tf, unflatten } from "../runtime/index.ts";
import { addFigures } from "./batch-figures.ts";
import { type BatchSum, type BatchSumOptions, type OwnBatch, sumOfBatches } from "./batch-sum.ts";
import type { TrainedModel } from "./trained-model.ts";

/**
 * Loss, metrics and gradients of all batches of all workers as if they were one batch. A batch is undefined where this worker has nothing
 * of it; a worker without any gives zeros, because the others wait for it.
 *
 * @throws Error when nothing counts in any of them, or another worker failed
 */
export function sumOfWorkers<P extends object, B, Out>(
  model: TrainedModel<P, B, Out>,
  variables: readonly Variable[],
  batches: readonly (B | undefined)[],
  options: Omit<BatchSumOptions<Out, B>, "total">,
): BatchSum {
  const { loss, step, lap } = options;
  let own: OwnBatch<B, Out>[] = [];
  const weigh = () => {
    own = batches.flatMap((batch, index) => (batch === undefined ? [] : { batch, objective: loss.of(batch), index }));
    return own.reduce((sum, { objective }) => sum + (objective.weight ?? 0), 0);
  };
  // A loss with a name tells the weights of batches beforehand, a function only with the loss.
  const weights = loss.name ? gathered(weigh) : [weigh()];
  const total = loss.name ? weights.reduce((sum, weight) => sum + weight, 0) : undefined;
  const isShared = place().size > 1;
  if (isShared) lap("exchange");
  let gradients: Tensor[] = [];
  const all = gathered(() => {
    const { gradients: made, ...sum } = sumOfBatches(model, variables, own, { ...options, total });
    gradients = made;
    return sum;
  });
  const counted = all.reduce((sum, each) => sum + each.counted, 0);
  if (counted === 0) {
    throw new Error(
      `step ${step}: ${loss.text} has nothing to count in ${batches.length === 1 ? "the batch" : "the batches"}: every label is ignored, or the weight is 0`,
    );
  }
  const { rank } = place();
  // What is not a share of the whole yet is a mean over the worker's own batches.
  const factors = all.map((each) => (total === undefined ? each.counted / counted : 1));
  const sum = all.map((each, worker) => scaled(each, factors[worker]!)).reduce(addSums);
  if (!isShared) return { ...sum, gradients };
  const reduced = reduceGradients(gradients, variables, { ...options, factor: factors[rank]! });
  lap("exchange");
  return { ...sum, gradients: reduced };
}

type Numbers = Omit<BatchSum, "gradients">;

const scaled = ({ loss, metrics, ...counts }: Numbers, factor: number): Numbers => ({
  ...counts,
  loss: loss * factor,
  metrics: Object.fromEntries(Object.entries(metrics).map(([name, figure]) => [name, figure * factor])),
});

function addSums(a: Numbers, b: Numbers): Numbers {
  const metrics = { ...a.metrics };
  for (const [name, figure] of Object.entries(b.metrics)) metrics[name] = (metrics[name] ?? 0) + figure;
  return { loss: a.loss + b.loss, metrics, counted: a.counted + b.counted, figures: addFigures(a.figures, b.figures) };
}

/** The sum of all workers' gradients times their factors, as one vector on the way. The given ones are disposed. */
function reduceGradients(
  gradients: Tensor[],
  variables: readonly Variable[],
  {
    factor,
    reduceIn,
    scaler,
  }: { factor: number; reduceIn?: HalfType | undefined } & Pick<BatchSumOptions<unknown, unknown>, "scaler">,
): Tensor[] {
  const reduced = tf.tidy(() => {
    if (gradients.length === 0) {
      // A scaler unscales gradients only after it has scaled a loss.
      scaler?.scale(tf.scalar(0));
      const size = variables.reduce((sum, variable) => sum + variable.size, 0);
      return unflatten(reduceVector(tf.zeros([size]), "sum", reduceIn), variables);
    }
    const flat = flatten(gradients);
    return unflatten(reduceVector(factor === 1 ? flat : tf.mul(flat, factor), "sum", reduceIn), variables);
  });
  tf.dispose(gradients);
  return reduced;
}
