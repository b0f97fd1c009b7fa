import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { autocastOp, autocastType, type HalfType } from "../../amp/index.ts";
import { tf } from "../../runtime/index.ts";
import { integers, isNative, scalar } from "../../runtime/native/op.ts";
import {
  add,
  biasAdd,
  biasAddGradient,
  meanKeepingAxis,
  multiply,
  rsqrt,
  square,
  subtract,
} from "../../runtime/native/primitives.ts";
import { to } from "../../storage/index.ts";
import { differentiable } from "../differentiable.ts";

const rowMean = (x: Tensor) => meanKeepingAxis(x, integers(1));

/**
 * Each row to mean 0 and variance 1 (biased, as PyTorch's LayerNorm), then scaled and shifted. `x: [rows, features]`.
 *
 * Ba, Kiros & Hinton 2016 (arXiv 1607.06450).
 */
export function layerNorm(x: Tensor2D, scale: Tensor1D, offset: Tensor1D, epsilon = 1e-5): Tensor2D {
  return inFloat32(x, scale, offset, epsilon, autocastType());
}

/** On autocast's float32 list as a whole; what it keeps for the gradient is half all the same. */
const inFloat32 = autocastOp("float32", normalise);

function normalise(x: Tensor2D, scale: Tensor1D, offset: Tensor1D, epsilon: number, kept?: HalfType): Tensor2D {
  if (!isNative()) {
    const { mean: mu, variance } = tf.moments(x, 1, true);
    const normal = tf.mul(tf.sub(x, mu), tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(normal, scale), offset) as Tensor2D;
  }
  const forward = (save: (...tensors: Tensor[]) => void) => {
    const centred = subtract(x, rowMean(x));
    const inverse = tf.tidy(() => rsqrt(add(rowMean(square(centred)), scalar(epsilon))));
    const normal = multiply(centred, inverse);
    centred.dispose();
    const scaled = multiply(normal, scale);
    save(kept ? to(normal, kept) : normal, inverse, scale);
    normal.dispose();
    return biasAdd(scaled, offset);
  };
  return differentiable([x, scale, offset], forward, (dy, [keptNormal, inverse, savedScale]) => {
    // Once, and not in each of the ops that use it.
    const normal = to(keptNormal!, "float32");
    const dScale = tf.tidy(() => biasAddGradient(multiply(dy, normal)));
    const dNormal = multiply(dy, savedScale!);
    const along = tf.tidy(() => rowMean(multiply(dNormal, normal)));
    const centred = subtract(dNormal, rowMean(dNormal));
    dNormal.dispose();
    const dx = tf.tidy(() => {
      const across = subtract(centred, multiply(normal, along));
      centred.dispose();
      return multiply(across, inverse!);
    });
    return [dx, dScale, biasAddGradient(dy)];
  }) as Tensor2D;
}
