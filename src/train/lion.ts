import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import type { Trainable } from "../tensor/index.ts";
import { flatOptimizer, type Optimizer, type OptimizerOptions, type Rule } from "./optimizer.ts";
import type { ParameterGroup } from "./parameter-groups.ts";
import { moved, pipe, weightedSum } from "./vectors.ts";

/** Options of `lion`. */
export interface LionOptions extends OptimizerOptions {
  /** The learning rate of a `step` without one; 1e-4 by default, because every element moves by the whole rate. */
  learningRate?: number;
  /** The momentum's share in the update, and its decay rate; [0.9, 0.99] by default. */
  betas?: readonly [number, number];
  /** Subtracts this times the learning rate times the parameter at each step; 0 by default. */
  weightDecay?: number;
  /** Parameters with options of their own. */
  groups?: readonly ParameterGroup<LionOptions>[];
}

/**
 * Lion: the sign of a mean of gradient and momentum, with decoupled weight decay. Its state is one vector, half of Adam's.
 *
 * Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms" (arXiv 2302.06675), algorithm 2.
 *
 * @throws RangeError for a negative option, or a group without parameters; TypeError when no parameter is trainable, or one is a
 *   plain tensor
 */
export function lion<P extends object>(parameters: P & Trainable<P>, options: LionOptions = {}): Optimizer {
  return flatOptimizer<LionOptions>("Lion", parameters, { learningRate: 1e-4, ...options }, lionRule);
}

function lionRule({ betas = [0.9, 0.99], weightDecay = 0 }: LionOptions): Rule {
  const mixed = (momentum: Tensor1D, gradient: Tensor1D, beta: number) =>
    weightedSum(momentum, beta, gradient, 1 - beta);
  return {
    slots: ["momentum"],
    movesFirst: true,
    fused: {
      kernel: "Lion",
      constants: (rate) => [betas[0], 1 - betas[0], betas[1], 1 - betas[1], rate, 1 - rate * weightDecay],
    },
    advance: ({ gradient, slots: { momentum } }) => ({ momentum: mixed(momentum!, gradient, betas[1]) }),
    move: ({ gradient, parameters, slots: { momentum }, rate }) =>
      pipe(
        mixed(momentum!, gradient, betas[0]),
        (mean) => tf.sign(mean),
        (direction) => moved(parameters, 1 - rate * weightDecay, direction, rate),
      ),
  };
}
