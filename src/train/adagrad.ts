import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import type { Trainable } from "../tensor/index.ts";
import { flatOptimizer, type Optimizer, type OptimizerOptions, type Rule } from "./optimizer.ts";
import type { ParameterGroup } from "./parameter-groups.ts";
import { decayedGradient, moved, pipe } from "./vectors.ts";

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
    fused: {
      kernel: "Adagrad",
      constants: (rate, step) => {
        const start = step === 1 ? initialAccumulator : 0;
        return [weightDecay, start, epsilon, rate / (1 + (step - 1) * rateDecay)];
      },
    },
    advance: ({ gradient, parameters, slots: { sum }, step }) => {
      const before = () => (step === 1 ? (tf.add(sum!, initialAccumulator) as Tensor1D) : sum!.clone());
      const square = tf.tidy(() => tf.square(effective(gradient, parameters)));
      return { sum: pipe(square, (fresh) => pipe(before(), (old) => tf.add(old, fresh))) };
    },
    move: ({ gradient, parameters, slots: { sum }, rate, step }) => {
      const change = tf.tidy(() => {
        const root = pipe(tf.sqrt(sum!), (each) => tf.add(each, epsilon));
        return tf.div(effective(gradient, parameters), root) as Tensor1D;
      });
      return pipe(change, (each) => moved(parameters, 1, each, rate / (1 + (step - 1) * rateDecay)));
    },
  };
}
