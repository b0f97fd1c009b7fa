import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-node-gpu";
import { differentiable } from "../../tensor/engine.ts";
import { batchMatMul, batchMatMulTransposedA, reshape } from "../../tensor/primitives.ts";

/**
 * Weighted sums over time: `x: [rows * time, features]` and `weights: [rows, segments, time]` give
 * `[rows * segments, features]`. Weights of `1 / length` on a sequence's tokens and 0 elsewhere give its mean. The weights are
 * constants without a gradient.
 */
export function meanPool(x: Tensor2D, weights: Tensor3D): Tensor2D {
  const [rows, segments, time] = weights.shape;
  const features = x.shape[1];
  return differentiable("meanPool", [x], {
    forward: (save) => {
      save([weights]);
      return reshape(batchMatMul(weights, reshape(x, [rows, time, features])), [rows * segments, features]);
    },
    backward: (dy, [kept]) => [
      () =>
        reshape(batchMatMulTransposedA(kept as Tensor, reshape(dy, [rows, segments, features])), [
          rows * time,
          features,
        ]),
    ],
  }) as Tensor2D;
}
