import { differentiable } from "../../tensor/engine.ts";
import { addBias, sumOfColumns } from "../../tensor/primitives.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";

/** A vector added to the last axis, `x` itself without one; nothing is saved for the gradient. */
export function withBias(x: AnyTensor, bias: AnyTensor | undefined): AnyTensor {
  if (!bias) return x;
  return differentiable("addBias", [x, bias], {
    forward: () => addBias(x, bias),
    backward: (dy) => [() => dy, () => sumOfColumns(dy)],
  });
}
