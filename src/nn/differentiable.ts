import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { differentiable as differentiableOp } from "../tensor/engine.ts";
import type { AnyTensor } from "../tensor/index.ts";

type Gradients<Inputs extends readonly Tensor[]> = { [K in keyof Inputs]: Tensor };

/**
 * Runs `forward` as one op with the gradient `backward`: the tape holds only what `save` was given, everything else
 * that forward makes is freed when it returns. `backward` gets the gradient of the output and the saved tensors, and
 * gives the gradient of each input.
 */
export function differentiable<const Inputs extends readonly Tensor[]>(
  inputs: Inputs,
  forward: (save: (...tensors: Tensor[]) => void) => Tensor,
  backward: (dy: Tensor, saved: Tensor[]) => Gradients<Inputs>,
): Tensor {
  return differentiableOp("differentiable", inputs as readonly Tensor[] as AnyTensor[], {
    forward: (save) => forward((...tensors) => save(tensors as AnyTensor[])) as AnyTensor,
    backward: (dy, saved) => [...backward(dy, saved)].map((gradient) => () => gradient as AnyTensor),
  });
}
