import { differentiable, reshapeTo } from "../../tensor/engine.ts";
import { addBias, sumOfColumns } from "../../tensor/primitives.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";

/**
 * A vector added to the last axis, `x` itself without one; nothing is saved for the gradient. That of the vector is taken of rows:
 * where it has the same input as a filter's gradient, oneDNN merges both in a captured step into an op that rounds differently.
 */
export function withBias(x: AnyTensor, bias: AnyTensor | undefined): AnyTensor {
  if (!bias) return x;
  return differentiable("addBias", [x, bias], {
    forward: () => addBias(x, bias),
    backward: (dy) => [() => dy, () => sumOfColumns(reshapeTo(dy, [dy.size / bias.size, bias.size]))],
  });
}
