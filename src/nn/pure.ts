import { elu, gelu, leakyRelu, relu, selu, sigmoid, silu, softmax, softplus, tanh } from "../tensor/index.ts";

/**
 * Functions that read nothing but their arguments and what lasts: parameters, constants, the state of `options`. What they compute of
 * values, and not of shapes, they declare by `stepInput` and `stepNumbers`. `train` need not run their JavaScript at each step.
 */
const pure = new WeakSet<object>([elu, gelu, leakyRelu, relu, selu, sigmoid, silu, softmax, softplus, tanh]);

export function markPure<F extends object>(f: F): F {
  pure.add(f);
  return f;
}

export const isPure = (f: object): boolean => pure.has(f);
