import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { categorize, tf } from "../runtime/index.ts";
import { differentiate } from "../tensor/tape.ts";

/**
 * The value of `loss`, a scalar, and its gradient with respect to each variable, in the variable's shape; zeros where the loss
 * does not depend on it. The caller disposes both.
 *
 * Saved tensors and intermediate gradients are freed as soon as they have been used, as in PyTorch, while `tf.variableGrads`
 * keeps them until the end of the backward pass. `afterForward` is called with the value between the two passes.
 */
export function valueAndGradients(
  loss: () => Scalar,
  variables: readonly Variable[],
  afterForward?: (value: Scalar) => void,
): { value: Scalar; gradients: Tensor[] } {
  const { value, gradients } = differentiate(() => [loss(), undefined], variables, {
    afterForward: afterForward as (value: Tensor) => void,
  });
  return { value: value as Scalar, gradients: withZeros(gradients, variables) };
}

/** The gradients with zeros for those that are undefined. */
export function withZeros(gradients: readonly (Tensor | undefined)[], variables: readonly Variable[]): Tensor[] {
  const all = gradients.map((gradient, i) => gradient ?? tf.zerosLike(variables[i]!));
  categorize("gradients", all);
  return all;
}
