// Pools of images `[batch, height, width, channels]`.
import { tf } from "../../runtime/index.ts";
import { run } from "../../tensor/engine.ts";
import { noGrad } from "../../tensor/tape.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { bordered, type Pair, padOf } from "./convolution.ts";

/** How a pool moves over images. */
export interface PoolWindow {
  filterSize: Pair;
  strides: Pair;
  /** The rows above and below and the columns left and right, or TensorFlow's "same". */
  padding: Pair | "same";
}

const attributes = ({ filterSize, strides }: PoolWindow, pad: "same" | "valid") => ({
  filterSize,
  strides,
  pad,
  dimRoundingMode: undefined,
});

/** The largest of each window; the padding is left out. */
export function largestOfWindows(x: AnyTensor, window: PoolWindow): AnyTensor {
  const { pad, border } = padOf(window.padding, window.filterSize, window.strides);
  return run("MaxPool", { x: bordered(x, border, Number.NEGATIVE_INFINITY) }, attributes(window, pad));
}

/** The mean of each window, without the padding; where `countsZeros`, a padding that is a number counts as zeros. */
export function meanOfWindows(x: AnyTensor, window: PoolWindow, countsZeros: boolean): AnyTensor {
  const { padding, filterSize, strides } = window;
  const { pad, border } =
    countsZeros && padding !== "same"
      ? { pad: "valid" as const, border: padding }
      : padOf(padding, filterSize, strides);
  const means = (images: AnyTensor) => run("AvgPool", { x: bordered(images, border, 0) }, attributes(window, pad));
  if (countsZeros || border.every((size) => size === 0)) return means(x);
  const inside = noGrad(() => means(tf.ones([1, x.shape[1]!, x.shape[2]!, 1])));
  return run("RealDiv", { a: means(x), b: inside });
}
