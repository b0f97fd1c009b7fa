import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import type { Trainable } from "../tensor/index.ts";
import { flatOptimizer, type Optimizer, type OptimizerOptions, type Rule } from "./optimizer.ts";
import type { ParameterGroup } from "./parameter-groups.ts";
import { decayedGradient, moved, pipe, weightedSum } from "./vectors.ts";

/** Options of `sgd`. */
export interface SgdOptions extends OptimizerOptions {
  /** Factor of the previous velocity; 0 by default. */
  momentum?: number;
  /** The gradient is multiplied by 1 minus this before it is added to the velocity; 0 by default. */
  dampening?: number;
  /** Nesterov momentum (Sutskever et al. 2013); false by default. */
  nesterov?: boolean;
  /** Adds this times the parameter to the gradient; 0 by default. */
  weightDecay?: number;
  /** Parameters with options of their own. */
  groups?: readonly ParameterGroup<SgdOptions>[];
}

/**
 * Gradient descent with PyTorch's formulas (`torch.optim.SGD`): the first velocity is the gradient, without dampening.
 *
 * @throws RangeError for a negative option, `nesterov` without momentum or with dampening, or a group without parameters;
 *   TypeError when no parameter is trainable, or one is a plain tensor
 */
export function sgd<P extends object>(parameters: P & Trainable<P>, options: SgdOptions = {}): Optimizer {
  return flatOptimizer<SgdOptions>("SGD", parameters, options, sgdRule);
}

function sgdRule({ momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 }: SgdOptions): Rule {
  if (nesterov && (momentum === 0 || dampening !== 0))
    throw new RangeError(`nesterov needs momentum and no dampening, got ${momentum} and ${dampening}`);
  const effective = (gradient: Tensor1D, parameters: () => Tensor1D) =>
    decayedGradient(gradient, parameters, weightDecay);
  return {
    slots: momentum === 0 ? [] : ["velocity"],
    fused: {
      kernel: "Sgd",
      constants: (rate, step) => {
        // The first velocity is the gradient. The parameters move by these shares of gradient and velocity.
        const share = step === 1 ? 1 : 1 - dampening;
        const shares = nesterov ? [1, momentum] : [0, 1];
        return [weightDecay, momentum, share, ...shares, rate];
      },
    },
    advance: ({ gradient, parameters, slots: { velocity }, step }): Record<string, Tensor1D> => {
      if (!velocity) return {};
      const pull = effective(gradient, parameters);
      if (step === 1) return { velocity: pull.clone() };
      return { velocity: weightedSum(velocity, momentum, pull, 1 - dampening) };
    },
    move: ({ gradient, parameters, slots: { velocity }, rate }) => {
      if (velocity && !nesterov) return moved(parameters, 1, velocity, rate);
      const pull = effective(gradient, parameters);
      if (!velocity) return moved(parameters, 1, pull, rate);
      const ahead = pipe(tf.mul(velocity, momentum) as Tensor1D, (each) => tf.add(pull, each));
      return pipe(ahead, (each) => moved(parameters, 1, each, rate));
    },
  };
}
