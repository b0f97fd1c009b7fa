import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import type { Trainable } from "../tensor/index.ts";
import { decayedGradient, flatOptimizer, type Optimizer, type OptimizerOptions, type Rule } from "./optimizer.ts";
import type { ParameterGroup } from "./parameter-groups.ts";

/** Options of `adagrad`, with the defaults of `torch.optim.Adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** The learning rate of a `step` without one; 0.01 by default. */
  learningRate?: number;
  /** The rate of step t is divided by 1 + (t - 1) times this; 0 by default. */
  rateDecay?: number;
  /** The first sum of squared gradients; 0 by default. */
  initialAccumulator?: number;
  /** Added to the root of the sum; 1e-10 by default. */
  epsilon?: number;
  /** Adds this times the parameter to the gradient; 0 by default. */
  weightDecay?: number;
  /** Parameters with options of their own. */
  groups?: readonly ParameterGroup<AdagradOptions>[];
}

/**
 * Adagrad with PyTorch's formula (`torch.optim.Adagrad`; Duchi et al. 2011): the gradient over the root of the sum of its squares.
 *
 * @throws RangeError for a negative option, or a group without parameters; TypeError when no parameter is trainable, or one is a
 *   plain tensor
 */
export function adagrad<P extends object>(parameters: P & Trainable<P>, options: AdagradOptions = {}): Optimizer {
  return flatOptimizer<AdagradOptions>("Adagrad", parameters, { learningRate: 1e-2, ...options }, adagradRule);
}

function adagradRule(options: AdagradOptions): Rule {
  const { rateDecay = 0, initialAccumulator = 0, epsilon = 1e-10, weightDecay = 0 } = options;
  const effective = (gradient: Tensor1D, parameters: () => Tensor1D) =>
    decayedGradient(gradient, parameters, weightDecay);
  return {
    slots: ["sum"],
    advance: ({ gradient, parameters, slots: { sum }, step }) => {
      const before = step === 1 ? tf.add(sum!, initialAccumulator) : sum!;
      return { sum: tf.add(before, tf.square(effective(gradient, parameters))) as Tensor1D };
    },
    move: ({ gradient, parameters, slots: { sum }, rate, step }) => {
      const change = tf.div(effective(gradient, parameters), tf.add(tf.sqrt(sum!), epsilon));
      return tf.sub(parameters(), tf.mul(change, rate / (1 + (step - 1) * rateDecay))) as Tensor1D;
    },
  };
}
