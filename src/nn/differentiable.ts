import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";

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
  const op = tf.customGrad((...args) => {
    const save = args.at(-1) as unknown as (tensors: Tensor[]) => void;
    const value = forward((...tensors) => save(tensors));
    return { value, gradFunc: (dy: Tensor, saved: Tensor[]) => [...backward(dy, saved)] };
  });
  return op(...inputs);
}
