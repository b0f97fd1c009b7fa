import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { isNative, scalar } from "../../runtime/native/op.ts";
import { add, erf, exp, multiply, square } from "../../runtime/native/primitives.ts";
import { differentiable } from "../differentiable.ts";

const SQRT_HALF = Math.SQRT1_2;
const DENSITY = 1 / Math.sqrt(2 * Math.PI);

/**
 * `x * Phi(x)`, with the exact normal distribution function (PyTorch's default, not the tanh approximation).
 *
 * Hendrycks & Gimpel 2016 (arXiv 1606.08415).
 */
export function gelu<T extends Tensor>(x: T): T {
  if (!isNative()) {
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, SQRT_HALF)), 1)) as T;
  }
  const cumulative = (scaled: Tensor) => tf.tidy(() => multiply(add(erf(scaled), scalar(1)), scalar(0.5)));
  const density = (scaled: Tensor) =>
    tf.tidy(() => multiply(exp(multiply(square(scaled), scalar(-1))), scalar(DENSITY)));
  return differentiable(
    [x],
    (save) => {
      save(x);
      return multiply(x, cumulative(multiply(x, scalar(SQRT_HALF))));
    },
    (dy, [saved]) => {
      const scaled = multiply(saved!, scalar(SQRT_HALF));
      const slope = tf.tidy(() => add(cumulative(scaled), multiply(saved!, density(scaled))));
      return [multiply(dy, slope)];
    },
  ) as T;
}
