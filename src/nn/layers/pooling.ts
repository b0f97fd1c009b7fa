// Pools: the largest or the mean of each window of an image or a sequence.
import { ShapeError } from "../../tensor/errors.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import type { IsUnknown, Shape } from "../../tensor/types/shape.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { largestOfWindows, meanOfWindows, type PoolWindow } from "../ops/pool-images.ts";
import type { ShapeRule, Unfit } from "./shape-rule.ts";
import { type NoParameters, requireOptions, type TensorLayer, tensorLayer } from "./tensor-layer.ts";
import { imageOf, paddingOf, pairOf, type Sides, sequenceOf } from "./window.ts";
import type { Padding, Side, WindowSize } from "./window-shape.ts";

/** The options of the pools. */
export interface PoolOptions<
  Kernel extends Sides = Sides,
  Stride extends Sides = Sides,
  Pad extends Padding = Padding,
> {
  /** The size of the window: one number, or height and width. */
  kernelSize: Kernel;
  /** The distance of the windows; `kernelSize` by default, so that they do not overlap. */
  stride?: Stride;
  /**
   * "valid", none, by default; a number is that of each side, at most half of the window. A maximum ignores the padding; a mean counts
   * it as zeros, but not with "same".
   */
  padding?: Pad;
}

/** The options of `avgPool1d` and `avgPool2d`. */
export interface AvgPoolOptions<
  Kernel extends Sides = Sides,
  Stride extends Sides = Sides,
  Pad extends Padding = Padding,
> extends PoolOptions<Kernel, Stride, Pad> {
  /** Whether a mean counts the zeros of a `padding` that is a number; true by default, as in PyTorch. */
  countIncludePad?: boolean;
}

/** `[batch, height, width, channels]` to smaller images. */
export interface Pool2dShape<Name extends string, Kernel, Stride, Pad> extends ShapeRule {
  readonly out: IsUnknown<this["in"]> extends true
    ? Shape
    : this["in"] extends [infer B, infer H, infer W, infer C]
      ? [
          B,
          WindowSize<H, Side<Kernel, 0>, Side<Stride, 0>, Side<Pad, 0>>,
          WindowSize<W, Side<Kernel, 1>, Side<Stride, 1>, Side<Pad, 1>>,
          C,
        ]
      : Unfit<Name, "batch, height, width, channels", this["in"]>;
  readonly takes: unknown;
  readonly gives: "same";
}

/** `[batch, time, channels]` to a shorter sequence. */
export interface Pool1dShape<Name extends string, Kernel, Stride, Pad> extends ShapeRule {
  readonly out: IsUnknown<this["in"]> extends true
    ? Shape
    : this["in"] extends [infer B, infer T, infer C]
      ? [B, WindowSize<T, Kernel, Stride, Pad>, C]
      : Unfit<Name, "batch, time, channels", this["in"]>;
  readonly takes: unknown;
  readonly gives: "same";
}

/**
 * The largest of each window, `maxPool2d({ kernelSize: 2 })`: `[batch, height, width, channels]` gives
 * `[batch, height / 2, width / 2, channels]`, rounded down (`torch.nn.MaxPool2d`, whose channels come second).
 *
 * @throws RangeError for a size that is not a positive integer, or a padding of more than half of the window; ShapeError from `apply`
 *   for another rank, or an image smaller than the window
 */
export function maxPool2d<
  const Kernel extends Sides,
  const Stride extends Sides = Kernel,
  const Pad extends Padding = "valid",
>(options: PoolOptions<Kernel, Stride, Pad>): TensorLayer<NoParameters, Pool2dShape<"maxPool2d", Kernel, Stride, Pad>> {
  return pool("maxPool2d", options, largestOfWindows) as never;
}

/**
 * The mean of each window, `avgPool2d({ kernelSize: 2 })`: `[batch, height, width, channels]` gives
 * `[batch, height / 2, width / 2, channels]`, rounded down (`torch.nn.AvgPool2d`, whose channels come second).
 *
 * @throws RangeError for a size that is not a positive integer, or a padding of more than half of the window; ShapeError from `apply`
 *   for another rank, or an image smaller than the window
 */
export function avgPool2d<
  const Kernel extends Sides,
  const Stride extends Sides = Kernel,
  const Pad extends Padding = "valid",
>(
  options: AvgPoolOptions<Kernel, Stride, Pad>,
): TensorLayer<NoParameters, Pool2dShape<"avgPool2d", Kernel, Stride, Pad>> {
  return averagePool("avgPool2d", options) as never;
}

/**
 * The largest of each window of a sequence, `maxPool1d({ kernelSize: 2 })`: `[batch, time, channels]` gives
 * `[batch, time / 2, channels]`, rounded down (`torch.nn.MaxPool1d`, whose channels come second).
 *
 * @throws RangeError and ShapeError as `maxPool2d`
 */
export function maxPool1d<
  const Kernel extends number,
  const Stride extends number = Kernel,
  const Pad extends "same" | "valid" | number = "valid",
>(options: PoolOptions<Kernel, Stride, Pad>): TensorLayer<NoParameters, Pool1dShape<"maxPool1d", Kernel, Stride, Pad>> {
  return pool("maxPool1d", options, largestOfWindows) as never;
}

/**
 * The mean of each window of a sequence, `avgPool1d({ kernelSize: 2 })`: `[batch, time, channels]` gives
 * `[batch, time / 2, channels]`, rounded down (`torch.nn.AvgPool1d`, whose channels come second).
 *
 * @throws RangeError and ShapeError as `avgPool2d`
 */
export function avgPool1d<
  const Kernel extends number,
  const Stride extends number = Kernel,
  const Pad extends "same" | "valid" | number = "valid",
>(
  options: AvgPoolOptions<Kernel, Stride, Pad>,
): TensorLayer<NoParameters, Pool1dShape<"avgPool1d", Kernel, Stride, Pad>> {
  return averagePool("avgPool1d", options) as never;
}

function pool(name: string, options: AvgPoolOptions, compute: (x: AnyTensor, window: PoolWindow) => AnyTensor) {
  requireOptions(name, options);
  const isSequence = name.endsWith("1d");
  const window: PoolWindow = {
    filterSize: pairOf(`${name}: kernelSize`, options.kernelSize, isSequence),
    strides: pairOf(`${name}: stride`, options.stride ?? options.kernelSize, isSequence),
    padding: paddingOf(`${name}: padding`, options.padding ?? "valid", isSequence),
  };
  const { filterSize, padding } = window;
  if (padding !== "same" && padding.some((size, axis) => 2 * size > filterSize[axis]!))
    throw new RangeError(
      `${name}: padding must be at most half of kernelSize ${JSON.stringify(options.kernelSize)}, got ${JSON.stringify(options.padding)}`,
    );
  return tensorLayer<NoParameters, ShapeRule>({
    name,
    settings: options,
    parameters: {},
    apply: (_, input) => {
      checkShape(name, input, isSequence, window);
      const result = isSequence ? sequenceOf(compute(imageOf(input), window)) : compute(input, window);
      const names = namesOf(input);
      return label(
        result,
        names?.map((each, i) => (i === 0 || i === names.length - 1 ? each : undefined)),
      );
    },
  });
}

const averagePool = (name: string, options: AvgPoolOptions) =>
  pool(name, options, (x, window) => meanOfWindows(x, window, options.countIncludePad ?? true));

function checkShape(name: string, x: AnyTensor, isSequence: boolean, { filterSize, padding }: PoolWindow): void {
  const axes = isSequence ? "batch, time, channels" : "batch, height, width, channels";
  if (x.rank !== (isSequence ? 3 : 4)) throw new ShapeError(`${name}: expected [${axes}], got ${shapeText(x)}`);
  if (padding === "same") return;
  const sides = isSequence ? [1, x.shape[1]!] : [x.shape[1]!, x.shape[2]!];
  const [high, wide] = filterSize;
  if (sides.some((size, axis) => size + 2 * padding[axis]! < filterSize[axis]!))
    throw new ShapeError(`${name}: the input ${shapeText(x)} is smaller than the window ${high} by ${wide}`);
}
