import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { integers, isNative } from "../../runtime/native/op.ts";
import { batchMatMul, batchMatMulTransposedA, reshape } from "../../runtime/native/primitives.ts";
import { stopGradient } from "../../tensor/grad.ts";
import { differentiable } from "../differentiable.ts";

/**
 * Weighted sums over time: `x: [rows * time, features]` with `weights: [rows, segments, time]` gives
 * `[rows * segments, features]`. Weights of `1 / length` on a sequence's tokens and 0 elsewhere are its mean.
 * They are constants: no gradient reaches them.
 */
export function meanPool(x: Tensor2D, weights: Tensor3D): Tensor2D {
  const [rows, segments, time] = weights.shape;
  const features = x.shape[1];
  if (!isNative()) {
    return tf.reshape(tf.matMul(stopGradient(weights), tf.reshape(x, [rows, time, features])), [
      rows * segments,
      features,
    ]);
  }
  const shaped = (tensor: Tensor, ...shape: number[]) => reshape(tensor, integers(...shape));
  return differentiable(
    [x],
    (save) => {
      save(weights);
      return shaped(batchMatMul(weights, shaped(x, rows, time, features)), rows * segments, features);
    },
    (dy, [saved]) => [
      shaped(batchMatMulTransposedA(saved!, shaped(dy, rows, segments, features)), rows * time, features),
    ],
  ) as Tensor2D;
}
