// The mask of the elements that dropout keeps: Philox bits from a seed pair, the same on every backend.
import { sizeOf } from "../base/shape.ts";
import { philoxWords } from "../random/index.ts";
import { tf } from "../runtime/index.ts";
import { asExamples, isBatching, outside, randomLevels } from "../runtime/levels.ts";
import { uploaded } from "../runtime/native/capture/step-inputs.ts";
import { integers, scalar } from "../runtime/native/constants.ts";
import type { DropoutMask } from "../runtime/native/kernels/index.ts";
import { isNative } from "../runtime/native/op.ts";
import {
  boolToFloat,
  greaterEqualInt,
  leftShift,
  packTwoBool,
  reshapeBool,
  statelessWords,
} from "../runtime/native/primitives.ts";
import { storageOf, to } from "../storage/index.ts";
import { cast } from "./engine.ts";
import { multiply } from "./primitives.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** The dropout rate, in [0, 1), and the seed pair of the mask. */
export interface Dropout {
  rate: number;
  seed: readonly [number, number];
}

/** Throws RangeError unless the rate is in [0, 1). */
export function checkRate(op: string, rate: number): void {
  if (!(rate >= 0 && rate < 1))
    throw new RangeError(`${op}: the dropout rate must be at least 0 and below 1, got ${rate}`);
}

/** The factor of the kept values, which preserves the expected sum. */
export const keepScale = ({ rate }: Dropout): number => 1 / (1 - rate);

/**
 * True where a value is kept; one byte per value.
 *
 * Each 32-bit word of Philox decides two values, by its upper and lower half, because drawing words takes most of the time. So
 * the rate is exact to 1/65536.
 *
 * Inside of a vmap each example gets the part that it would have in the mask of all of them.
 */
export function keepMask(shape: readonly number[], options: Dropout): AnyTensor {
  const levels = randomLevels("dropout");
  const all = [...levels.map(({ size }) => size), ...shape];
  return asExamples(isNative() ? nativeMask(all, options) : portableMask(all, options), levels);
}

/** The same for a kernel, which draws the mask itself. */
export const maskOfKernel = (options: Dropout | undefined): DropoutMask | undefined =>
  options && { seed: options.seed, dropped: droppedOf(options.rate), scale: keepScale(options) };

/** The mask again in a backward pass, of an op that ran outside of vmap. */
export const keepMaskAgain = (shape: readonly number[], options: Dropout): AnyTensor =>
  outside(() => keepMask(shape, options));

/** How many of 65536 equal values are dropped: not all of them. */
const droppedOf = (rate: number): number => Math.min(65535, Math.round(rate * 65536));

function nativeMask(shape: readonly number[], { rate, seed }: Dropout): AnyTensor {
  const size = sizeOf(shape);
  const half = Math.ceil(size / 2);
  return tf.tidy(() => {
    const words = statelessWords(integers(half), uploaded(seed, [2], "int32") as never);
    const threshold = scalar(droppedOf(rate) * 65536 - 2 ** 31, "int32");
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

function portableMask(shape: readonly number[], { rate, seed }: Dropout): AnyTensor {
  const stays = new Uint8Array(sizeOf(shape));
  const half = Math.ceil(stays.length / 2);
  const words = philoxWords(half, seed);
  const threshold = droppedOf(rate) - 32768;
  for (let i = 0; i < half; i++) {
    const word = words[i]!;
    // As signed numbers, like the native op's words. An odd size leaves out the last lower half.
    stays[i] = word >> 16 >= threshold ? 1 : 0;
    stays[half + i] = (word << 16) >> 16 >= threshold ? 1 : 0;
  }
  return tf.tensor(stays, [...shape], "bool");
}

/** `x` where the mask is true and 0 elsewhere, unscaled. */
export function keep(x: AnyTensor, mask: AnyTensor): AnyTensor {
  const storage = storageOf(x);
  // Straight to the storage on TensorFlow; elsewhere a half is a rounded float32.
  const factor =
    isNative() && !isBatching()
      ? storage === "float32"
        ? boolToFloat(mask)
        : to(mask, storage)
      : to(cast(mask, "float32"), storage);
  const kept = multiply(x, factor);
  factor.dispose();
  return kept;
}
