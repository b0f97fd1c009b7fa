import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { philoxWords } from "../../random/index.ts";
import { tf } from "../../runtime/index.ts";
import { integers, isNative, scalar } from "../../runtime/native/op.ts";
import {
  add,
  boolToFloat,
  greaterEqualInt,
  leftShift,
  multiply,
  packTwoBool,
  reshapeBool,
  statelessWords,
} from "../../runtime/native/primitives.ts";
import { storageOf, to } from "../../storage/index.ts";
import { differentiable } from "../differentiable.ts";

/** A share of values to drop, and the seed pair that decides which. */
export interface Dropout {
  rate: number;
  seed: readonly [number, number];
}

/** Throws RangeError unless some values can stay. */
export function checkRate(op: string, options: Dropout | undefined): void {
  if (options && !(options.rate >= 0 && options.rate < 1))
    throw new RangeError(`${op}: the dropout rate must be at least 0 and below 1, got ${options.rate}`);
}

/** What to multiply the values that stay by, so that their expected sum does not change. */
export const keepScale = ({ rate }: Dropout): number => 1 / (1 - rate);

/**
 * True where a value stays: one byte each. Native only.
 *
 * Each 32-bit word of Philox decides two values, by its upper and by its lower half: drawing words is the most of what
 * dropout costs. So the rate is exact to 1/65536.
 */
export function keepMask(shape: readonly number[], { rate, seed }: Dropout): Tensor {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const half = Math.ceil(size / 2);
  return tf.tidy(() => {
    const words = statelessWords(integers(half), tf.tensor1d([...seed], "int32"));
    const threshold = scalar(Math.round(rate * 65536) * 65536 - 2 ** 31, "int32");
    const upper = greaterEqualInt(words, threshold);
    const shifted = leftShift(words, scalar(16, "int32"));
    words.dispose();
    const lower = greaterEqualInt(shifted, threshold);
    shifted.dispose();
    const both = packTwoBool(upper, lower);
    if (size % 2 === 0) return reshapeBool(both, integers(...shape));
    return tf.reshape(tf.slice(tf.reshape(both, [2 * half]), 0, size), [...shape]);
  });
}

/** The values of `keepMask`, 1 where a value stays and 0 elsewhere, on any backend. */
function portableMask(shape: readonly number[], { rate, seed }: Dropout): Tensor {
  const values = new Float32Array(shape.reduce((product, dimension) => product * dimension, 1));
  const half = Math.ceil(values.length / 2);
  const words = philoxWords(half, seed);
  const threshold = Math.round(rate * 65536) - 32768;
  for (let i = 0; i < half; i++) {
    const word = words[i]!;
    // As signed numbers, like the native op's words. An odd size leaves out the last lower half.
    values[i] = word >> 16 >= threshold ? 1 : 0;
    values[half + i] = (word << 16) >> 16 >= threshold ? 1 : 0;
  }
  return tf.tensor(values, [...shape]);
}

/** `x` where the mask is true and 0 elsewhere, unscaled. Native only. */
export function keep(x: Tensor, mask: Tensor): Tensor {
  const storage = storageOf(x);
  const factor = storage === "float32" ? boolToFloat(mask) : to(mask, storage);
  const kept = multiply(x, factor);
  factor.dispose();
  return kept;
}

function keepScaled(x: Tensor, mask: Tensor, options: Dropout): Tensor {
  const kept = keep(x, mask);
  const scaled = multiply(kept, scalar(keepScale(options)));
  kept.dispose();
  return scaled;
}

/**
 * Sets a random share `rate` of the values to 0 and scales the others by `1 / (1 - rate)`. The same seed drops the same
 * values. Without `dropout`, `x` itself.
 *
 * Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
 */
export function dropout<T extends Tensor>(x: T, options: Dropout | undefined): T {
  checkRate("dropout", options);
  if (!options || options.rate === 0) return x;
  if (!isNative()) {
    return tf.tidy(() => tf.mul(tf.mul(x, portableMask(x.shape, options)), keepScale(options))) as T;
  }
  return differentiable(
    [x],
    (save) => {
      const mask = keepMask(x.shape, options);
      save(mask);
      return keepScaled(x, mask, options);
    },
    (dy, [mask]) => [keepScaled(dy, mask!, options)],
  ) as T;
}

/** `residual + dropout(x)`, as one op: the dropped copy of `x` is not kept. */
export function addWithDropout<T extends Tensor>(residual: T, x: T, options: Dropout | undefined): T {
  checkRate("addWithDropout", options);
  if (!isNative()) return tf.add(residual, dropout(x, options)) as T;
  const active = options && options.rate > 0 ? options : undefined;
  return differentiable(
    [residual, x],
    (save) => {
      if (!active) return add(residual, x);
      const mask = keepMask(x.shape, active);
      save(mask);
      return add(residual, keepScaled(x, mask, active));
    },
    (dy, [mask]) => [dy, active ? keepScaled(dy, mask!, active) : dy],
  ) as T;
}
