import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { categorize, tf } from "../runtime/index.ts";
import { differentiate } from "../tensor/tape.ts";

/**
 * The value of `loss` and its gradient by each variable, zeros where it does not depend on one. The caller disposes both.
 *
 * Unlike `tf.variableGrads`, which keeps every saved tensor and every intermediate gradient until the whole backward pass
 * is over, each is freed as soon as it has been used, as PyTorch does: the peak is the saved activations and not twice
 * that. `afterForward` is called with the value between the two passes.
 */
export function valueAndGradients(
  loss: () => Scalar,
  variables: readonly Variable[],
  afterForward?: (value: Scalar) => void,
): { value: Scalar; gradients: Tensor[] } {
  const found = differentiate(() => [loss(), undefined], variables, {
    afterForward: afterForward as (value: Tensor) => void,
  });
  const gradients = found.gradients.map((gradient, i) => gradient ?? tf.zerosLike(variables[i]!));
  categorize("gradients", gradients);
  return { value: found.value as Scalar, gradients };
}
