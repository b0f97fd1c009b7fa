// Options of windows that move over images, checked and completed.
import { checkPositiveInteger } from "../../base/checks.ts";
import { reshapeTo } from "../../tensor/engine.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import type { Pair } from "../ops/convolution.ts";
import type { Padding } from "./window-shape.ts";

/** One number for height and width, or both. */
export type Sides = number | Pair;

/** Height and width; of a sequence, whose height is 1, the number is its width. */
export function pairOf(name: string, value: Sides, isSequence = false): Pair {
  const pair: Pair = typeof value === "number" ? [isSequence ? 1 : value, value] : value;
  for (const size of pair) checkPositiveInteger(name, size);
  return pair;
}

/** The rows above and below and the columns left and right, or "same". Throws RangeError for another value. */
export function paddingOf(name: string, padding: Padding, isSequence = false): Pair | "same" {
  if (padding === "same") return "same";
  if (padding === "valid") return [0, 0];
  const pair: Pair = typeof padding === "number" ? [isSequence ? 0 : padding, padding] : padding;
  if (Array.isArray(pair) && pair.every((size) => Number.isInteger(size) && size >= 0)) return pair;
  throw new RangeError(`${name} must be "same", "valid" or an integer of at least 0, got ${JSON.stringify(padding)}`);
}

/** A sequence `[batch, time, channels]` as an image of height 1. */
export const imageOf = (sequence: AnyTensor): AnyTensor =>
  reshapeTo(sequence, [sequence.shape[0]!, 1, ...sequence.shape.slice(1)]);

/** The sequence that an image of height 1 holds. */
export const sequenceOf = (image: AnyTensor): AnyTensor => reshapeTo(image, [image.shape[0]!, ...image.shape.slice(2)]);
