import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import { adamStep } from "../runtime/native/kernels/index.ts";
import type { Trainable } from "../tensor/index.ts";
import { flatOptimizer, type Optimizer, type OptimizerOptions, type Rule } from "./optimizer.ts";
import type { ParameterGroup } from "./parameter-groups.ts";
import { decayedGradient, moved, pipe, weightedSum } from "./vectors.ts";

/** Options of `adam`. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay rates of the two moments; [0.9, 0.999] by default. */
  betas?: readonly [number, number];
  /** Added to the denominator; 1e-8 by default. */
  epsilon?: number;
  /** Adds this times the parameter to the gradient; 0 by default. */
  weightDecay?: number;
  /** Parameters with options of their own. */
  groups?: readonly ParameterGroup<AdamOptions>[];
}

/** Options of `adamW`. */
export interface AdamWOptions extends AdamOptions {
  /** Subtracts this times the learning rate times the parameter at each step; 0.01 by default. */
  weightDecay?: number;
}

/**
 * AdamW with PyTorch's formula: first the decay, then `m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)`. Unlike
 * `tf.train.adam`, it adds epsilon after the bias correction. Clipping is PyTorch's `clip_grad_norm_`.
 *
 * Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization" (arXiv 1711.05101).
 *
 *     adamW(model.parameters, { groups: [{ match: /bias|scale|offset/, weightDecay: 0 }] })
 *
 * @throws RangeError for a negative option, or a group without parameters; TypeError when no parameter is trainable, or one is a
 *   plain tensor
 */
export function adamW<P extends object>(parameters: P & Trainable<P>, options: AdamWOptions = {}): Optimizer {
  return flatOptimizer<AdamOptions>("AdamW", parameters, { weightDecay: 0.01, ...options }, (own) =>
    adamRule(own, true),
  );
}

/**
 * Adam with PyTorch's formula (Kingma & Ba 2015, arXiv 1412.6980); weight decay is added to the gradient.
 *
 * @throws RangeError for a negative option, or a group without parameters; TypeError when no parameter is trainable, or one is a
 *   plain tensor
 */
export function adam<P extends object>(parameters: P & Trainable<P>, options: AdamOptions = {}): Optimizer {
  return flatOptimizer<AdamOptions>("Adam", parameters, options, (own) => adamRule(own, false));
}

function adamRule({ betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0 }: AdamOptions, decoupled: boolean): Rule {
  /** The factor of the step, and what is added to the root: sqrt(v) / c2 + e = (sqrt(v) + e c2) / c2 saves one pass over v. */
  const corrected = (rate: number, step: number) => {
    const correction2 = Math.sqrt(1 - betas[1] ** step);
    return { rate: (rate * correction2) / (1 - betas[0] ** step), epsilon: epsilon * correction2 };
  };
  const kept = (rate: number) => (decoupled ? 1 - rate * weightDecay : 1);
  const decay = decoupled ? 0 : weightDecay;
  return {
    slots: ["first", "second"],
    fused: ({ slots: { first, second }, rate, step, maxNorm, maxValue, ...tensors }) => {
      const numbers = { betas, ...corrected(rate, step), kept: kept(rate), decay, maxNorm, maxValue };
      const { parameters, ...slots } = adamStep({ ...tensors, first: first!, second: second!, numbers });
      return { parameters, slots };
    },
    advance: ({ gradient: raw, parameters, slots: { first, second } }) => {
      const gradient = decayedGradient(raw, parameters, decay);
      return {
        first: pipe(
          tf.sub(gradient, first!) as Tensor1D,
          (difference) => tf.mul(difference, 1 - betas[0]),
          (change) => tf.add(first!, change),
        ),
        second: pipe(tf.square(gradient), (square) => weightedSum(second!, betas[1], square, 1 - betas[1])),
      };
    },
    move: ({ parameters, slots: { first, second }, rate, step }) => {
      const by = corrected(rate, step);
      return pipe(
        tf.sqrt(second!),
        (root) => tf.add(root, by.epsilon),
        (deviation) => tf.div(first!, deviation),
        (change) => moved(parameters, kept(rate), change, by.rate),
      );
    },
  };
}
