import type { Randomness } from "../../runtime/levels.ts";
import { gradAs } from "../grad.ts";
import { type Gradients, leaves } from "../tree.ts";
import type { Dim } from "../types/shape.ts";
import type { TensorOperand } from "../types/tensor.ts";
import type { MappedArguments, WithMapped } from "./types.ts";
import { vmapAs } from "./vmap.ts";

/**
 * A function that gives the gradients of a loss with respect to its first argument for each example of a batch:
 * `vmap(grad(loss))`. `loss(parameters, ...example)` is written for one example and returns a scalar. The parameters are a tree of
 * float32 tensors, the batch trees of tensors `[batch, ...]`; the gradients have the structure of the parameters and the shapes
 * `[batch, ...]`.
 *
 * @throws ShapeError when the batch sizes differ; TypeError when there is no batch; TypeError and ShapeError as `grad`
 */
export function perExampleGrad<P, Example extends unknown[]>(
  loss: (parameters: P, ...example: Example) => TensorOperand,
  { randomness }: { randomness?: Randomness } = {},
): <B extends Dim>(parameters: P, ...batch: MappedArguments<Example, 0, B>) => WithMapped<Gradients<P>, 0, B> {
  return ((parameters: P, ...batch: Example) => {
    if (leaves(batch).length === 0)
      throw new TypeError("perExampleGrad: expected tensors of a batch after the parameters, got none");
    const inAxes = [null, ...batch.map(() => 0)];
    const gradients = gradAs("perExampleGrad", loss) as (...args: unknown[]) => unknown;
    return vmapAs("perExampleGrad", gradients, { inAxes, ...(randomness && { randomness }) })(parameters, ...batch);
  }) as never;
}
