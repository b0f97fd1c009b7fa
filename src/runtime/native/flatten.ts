import type { Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../load.ts";
import { integers } from "./constants.ts";
import { isNative } from "./op.ts";
import { reshape } from "./primitives.ts";

/** Concatenates the elements of tensors into one vector. */
export function flatten(tensors: readonly Tensor[]): Tensor1D {
  return tf.tidy(() => tf.concat(tensors.map((tensor) => shaped(tensor, [tensor.size]) as Tensor1D)));
}

/** Splits a vector into tensors of the shapes that it was concatenated from. */
export function unflatten(flat: Tensor1D, like: readonly Tensor[]): Tensor[] {
  const sizes = like.map(({ size }) => size);
  return tf.tidy(() => tf.split(flat, sizes).map((part, i) => shaped(part, like[i]!.shape)));
}

/**
 * Reshapes with a shape that is already on the device, which is faster; a step reshapes dozens of times. Most parameters are
 * vectors and need no reshape.
 */
function shaped(tensor: Tensor, shape: number[]): Tensor {
  if (tensor.rank === 1 && shape.length === 1) return tensor;
  return isNative() ? reshape(tensor, integers(...shape)) : tf.reshape(tensor, shape);
}
