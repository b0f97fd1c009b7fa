import type { Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../load.ts";
import { integers, isNative } from "./op.ts";
import { reshape } from "./primitives.ts";

/** The elements of some tensors one after the other. */
export function flatten(tensors: readonly Tensor[]): Tensor1D {
  return tf.tidy(() => tf.concat(tensors.map((tensor) => shaped(tensor, [tensor.size]) as Tensor1D)));
}

/** The parts of a vector in the shapes of the tensors that it was joined from. */
export function unflatten(flat: Tensor1D, like: readonly Tensor[]): Tensor[] {
  const sizes = like.map(({ size }) => size);
  return tf.tidy(() => tf.split(flat, sizes).map((part, i) => shaped(part, like[i]!.shape)));
}

/**
 * Reshaping with a shape that is already on the device takes half the time; there are dozens of them in a step. Most
 * parameters are vectors and need none.
 */
function shaped(tensor: Tensor, shape: number[]): Tensor {
  if (tensor.rank === 1 && shape.length === 1) return tensor;
  return isNative() ? reshape(tensor, integers(...shape)) : tf.reshape(tensor, shape);
}
