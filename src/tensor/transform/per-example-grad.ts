import type { Randomness } from "../../runtime/levels.ts";
import { grad } from "../grad.ts";
import type { Gradients } from "../tree.ts";
import type { Dim } from "../types/shape.ts";
import type { TensorOperand } from "../types/tensor.ts";
import type { MappedArguments, WithMapped } from "./types.ts";
import { vmap } from "./vmap.ts";

/**
 * A function that gives the gradients of a loss with respect to its first argument for each example of a batch:
 * `vmap(grad(loss))`. `loss(parameters, ...example)` is written for one example and returns a scalar. The parameters are a tree of
 * float32 tensors, the batch trees of tensors `[batch, ...]`; the gradients have the structure of the parameters and the shapes
 * `[batch, ...]`.
 *
 * @throws ShapeError when the batch sizes differ; TypeError and ShapeError as `grad`
 */
export function perExampleGrad<P, Example extends unknown[]>(
  loss: (parameters: P, ...example: Example) => TensorOperand,
  { randomness }: { randomness?: Randomness } = {},
): <B extends Dim>(parameters: P, ...batch: MappedArguments<Example, 0, B>) => WithMapped<Gradients<P>, 0, B> {
  return ((parameters: P, ...batch: Example) => {
    const inAxes = [null, ...batch.map(() => 0)];
    const gradients = vmap(grad(loss), { inAxes, ...(randomness && { randomness }) });
    return gradients(...([parameters, ...batch] as never));
  }) as never;
}
