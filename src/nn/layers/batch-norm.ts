import { checkPositiveInteger } from "../../base/checks.ts";
import { isReplaying } from "../../random/index.ts";
import { tf, uninterrupted } from "../../runtime/index.ts";
import { levelsOf } from "../../runtime/levels.ts";
import { cast, differentiable, reshapeTo } from "../../tensor/engine.ts";
import { inFloat32 } from "../../tensor/half.ts";
import { label, namesOf } from "../../tensor/names.ts";
import { addBias, multiply, plus, rsqrt, square, subtract, sumOfColumns, times } from "../../tensor/primitives.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { type Parameter, parameter } from "../initialisers.ts";
import type { Features } from "./shape-rule.ts";
import { checkLastAxis, requireOptions, type TensorLayer, tensorLayer } from "./tensor-layer.ts";

/** The options of `batchNorm`. */
export interface BatchNormOptions<F extends number = number> {
  /** The size of the last axis. */
  features: F;
  /** The share of a batch's statistics in the new running statistics; 0.1 by default, as in PyTorch. */
  momentum?: number;
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number;
}

/** The parameters of a batch norm, each `[features]`. */
export interface BatchNormParameters<F extends number = number> {
  /** At first 1. */
  scale: Parameter<[F]>;
  /** At first 0. */
  offset: Parameter<[F]>;
  /** The running mean, which is not trainable; at first 0. */
  mean: Parameter<[F]>;
  /** The running variance, which is not trainable; at first 1. */
  variance: Parameter<[F]>;
}

/** A batch norm: `[..., features]`. */
export type BatchNorm<F extends number> = TensorLayer<BatchNormParameters<F>, Features<"batchNorm", F, F>>;

/**
 * A batch norm, `batchNorm({ features: 16 })`: mean 0 and variance 1 of each feature over all other axes of `[..., features]`, times
 * `scale` plus `offset`, both `[features]` (Ioffe and Szegedy 2015; `torch.nn.BatchNorm1d` and `BatchNorm2d`). With
 * `training: true` it takes the batch's statistics and moves the running ones, of which it takes the variance over n - 1; otherwise
 * it takes the running ones. A pass that `checkpoint` computes again does not move them again.
 *
 * @throws RangeError when `features` is not a positive integer, the momentum is outside [0, 1] or epsilon is not positive; from
 *   `apply` in training for a single value per feature; ShapeError for another number of features; Error in training under `vmap`
 *   and `perExampleGrad`
 */
export function batchNorm<const F extends number>(options: BatchNormOptions<F>): BatchNorm<F>;
export function batchNorm(options: BatchNormOptions): unknown {
  requireOptions("batchNorm", options);
  const { features, momentum = 0.1, epsilon = 1e-5 } = options;
  checkPositiveInteger("batchNorm: features", features);
  if (!(momentum >= 0 && momentum <= 1)) throw new RangeError(`batchNorm: momentum must be in [0, 1], got ${momentum}`);
  if (!(epsilon > 0)) throw new RangeError(`batchNorm: epsilon must be more than 0, got ${epsilon}`);
  const make = (name: string, value: number) => parameter<[number]>(`batchNorm: ${name}`, value, [features]);
  const parameters: BatchNormParameters = {
    scale: make("scale", 1),
    offset: make("offset", 0),
    mean: make("mean", 0),
    variance: make("variance", 1),
  };
  for (const statistic of [parameters.mean, parameters.variance]) statistic.trainable = false;
  return tensorLayer({
    name: "batchNorm",
    settings: { features, momentum, epsilon },
    parameters,
    apply: (p, x, { training = false }) => {
      checkLastAxis("batchNorm", x, features);
      const count = x.size / features;
      if (training && [x, p.mean, p.variance].some((each) => levelsOf(each as AnyTensor).length > 0))
        throw new Error(
          "batchNorm: vmap and perExampleGrad cannot run it in training, because its statistics mix the examples of a batch: use groupNorm or layerNorm, or training: false",
        );
      if (training && count < 2)
        throw new RangeError(`batchNorm: training needs more than one value per feature, got ${count}`);
      const compute = (given: AnyTensor, scale: AnyTensor, offset: AnyTensor) => {
        const rows = reshapeTo(cast(given, "float32"), [count, features]);
        if (!training) return reshapeTo(byStatistics(rows, scale, offset, p, epsilon), x.shape);
        // A checkpointed pass that runs again has moved them before, and has copies of the parameters.
        const seen = isReplaying()
          ? () => undefined
          : (mean: AnyTensor, variance: AnyTensor) => move(p, mean, times(variance, count / (count - 1)), momentum);
        return reshapeTo(byBatch(rows, scale, offset, epsilon, seen), x.shape);
      };
      return label(inFloat32("batchNorm", "float32", [x, p.scale, p.offset], compute as never), namesOf(x));
    },
  });
}

const meanOfColumns = (x: AnyTensor): AnyTensor => times(sumOfColumns(x), 1 / x.shape[0]!);

/** Saves the normalized rows and the inverse deviations for the gradient. `seen` gets the batch's statistics, once. */
function byBatch(
  x: AnyTensor,
  scale: AnyTensor,
  offset: AnyTensor,
  epsilon: number,
  seen: (mean: AnyTensor, variance: AnyTensor) => void,
): AnyTensor {
  let isSeen = false;
  return differentiable("batchNorm", [x, scale, offset], {
    forward: (save) => {
      const mean = meanOfColumns(x);
      const off = subtract(x, mean);
      const variance = meanOfColumns(square(off));
      // Where gradients nest, this runs again in the backward pass.
      if (!isSeen) seen(mean, variance);
      isSeen = true;
      const inverse = rsqrt(plus(variance, epsilon));
      const normal = multiply(off, inverse);
      save([normal, inverse, scale]);
      return addBias(multiply(normal, scale), offset);
    },
    backward: (dy, [normal, inverse, kept]) => [
      () => {
        const along = multiply(normal!, meanOfColumns(multiply(dy, normal!)));
        return multiply(subtract(subtract(dy, meanOfColumns(dy)), along), multiply(inverse!, kept!));
      },
      () => sumOfColumns(multiply(dy, normal!)),
      () => sumOfColumns(dy),
    ],
  });
}

function byStatistics(
  x: AnyTensor,
  scale: AnyTensor,
  offset: AnyTensor,
  { mean, variance }: BatchNormParameters,
  epsilon: number,
): AnyTensor {
  const inverse = rsqrt(plus(variance as AnyTensor, epsilon));
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean as AnyTensor), inverse), scale), offset) as AnyTensor;
}

/** Moves the running statistics towards those of a batch. */
function move(p: BatchNormParameters, mean: AnyTensor, variance: AnyTensor, momentum: number): void {
  uninterrupted(() => {
    for (const [statistic, value] of [
      [p.mean, mean],
      [p.variance, variance],
    ] as const)
      statistic.assign(tf.add(tf.mul(statistic as AnyTensor, 1 - momentum), tf.mul(value, momentum)) as never);
  });
}
