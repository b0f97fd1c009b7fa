import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import type { Trainable } from "../tensor/index.ts";
import { flatOptimizer, type Optimizer, type OptimizerOptions, type Rule } from "./optimizer.ts";
import type { ParameterGroup } from "./parameter-groups.ts";
import { decayedGradient, moved, pipe, weightedSum } from "./vectors.ts";

/** Options of `rmsProp`, with the defaults of `torch.optim.RMSprop`. */
export interface RmsPropOptions extends OptimizerOptions {
  /** The learning rate of a `step` without one; 0.01 by default. */
  learningRate?: number;
  /** Decay rate of the mean square of the gradient; 0.99 by default. */
  alpha?: number;
  /** Added to the root of the mean square; 1e-8 by default. */
  epsilon?: number;
  /** Adds this times the parameter to the gradient; 0 by default. */
  weightDecay?: number;
  /** Factor of the previous velocity; 0 by default. */
  momentum?: number;
  /** Divides by the standard deviation of the gradient instead of the root of its mean square; false by default. */
  centered?: boolean;
  /** Parameters with options of their own. */
  groups?: readonly ParameterGroup<RmsPropOptions>[];
}

/**
 * RMSprop with PyTorch's formula (`torch.optim.RMSprop`; Tieleman & Hinton 2012, lecture 6e; centered as in Graves 2013, arXiv
 * 1308.0850).
 *
 * @throws RangeError for a negative option, or a group without parameters; TypeError when no parameter is trainable, or one is a
 *   plain tensor
 */
export function rmsProp<P extends object>(parameters: P & Trainable<P>, options: RmsPropOptions = {}): Optimizer {
  return flatOptimizer<RmsPropOptions>("RMSprop", parameters, { learningRate: 1e-2, ...options }, rmsPropRule);
}

function rmsPropRule(options: RmsPropOptions): Rule {
  const { alpha = 0.99, epsilon = 1e-8, weightDecay = 0, momentum = 0, centered = false } = options;
  const mixed = (old: Tensor1D, fresh: Tensor1D) => weightedSum(old, alpha, fresh, 1 - alpha);
  const effective = (gradient: Tensor1D, parameters: () => Tensor1D) =>
    decayedGradient(gradient, parameters, weightDecay);
  const change = (gradient: Tensor1D, { square, mean }: Record<string, Tensor1D>) => {
    const root = mean
      ? pipe(
          tf.square(mean),
          (each) => tf.sub(square!, each),
          (spread) => tf.sqrt(spread),
        )
      : tf.sqrt(square!);
    return pipe(
      root,
      (each) => tf.add(each, epsilon),
      (deviation) => tf.div(gradient, deviation),
    );
  };
  return {
    slots: ["square", ...(centered ? ["mean"] : []), ...(momentum > 0 ? ["velocity"] : [])],
    fused: {
      kernel: "RmsProp",
      constants: (rate) => [Number(centered), weightDecay, alpha, 1 - alpha, epsilon, momentum, rate],
    },
    advance: ({ gradient: raw, parameters, slots: { square, mean, velocity } }) => {
      const gradient = effective(raw, parameters);
      const made: Record<string, Tensor1D> = { square: pipe(tf.square(gradient), (each) => mixed(square!, each)) };
      if (mean) made.mean = mixed(mean, gradient);
      if (velocity)
        made.velocity = pipe(change(gradient, made), (each) =>
          pipe(tf.mul(velocity, momentum) as Tensor1D, (kept) => tf.add(kept, each)),
        );
      return made;
    },
    move: ({ gradient, parameters, slots, rate }) => {
      if (slots.velocity) return moved(parameters, 1, slots.velocity, rate);
      return pipe(change(effective(gradient, parameters), slots), (each) => moved(parameters, 1, each, rate));
    },
  };
}
