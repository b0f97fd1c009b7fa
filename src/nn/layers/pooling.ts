// Pools: the largest or the mean of each window of an image or a sequence.
import { reshapeTo, run } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import type { IsUnknown, Shape } from "../../tensor/types/shape.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import type { Pair } from "../ops/convolution.ts";
import type { ShapeRule, Unfit } from "./shape-rule.ts";
import { type NoParameters, type TensorLayer, tensorLayer } from "./tensor-layer.ts";
import { pairOf, type Sides } from "./window.ts";
import type { Side, WindowSize } from "./window-shape.ts";

/** The options of the pools. */
export interface PoolOptions<
  Kernel extends Sides = Sides,
  Stride extends Sides = Sides,
  Pad extends "same" | "valid" = "same" | "valid",
> {
  /** The size of the window: one number, or height and width. */
  kernelSize: Kernel;
  /** The distance of the windows; `kernelSize` by default, so that they do not overlap. */
  stride?: Stride;
  /** "valid", none, by default; with "same" the windows at the edges count only what is inside. */
  padding?: Pad;
}

/** `[batch, height, width, channels]` to smaller images. */
export interface Pool2dShape<Name extends string, Kernel, Stride, Pad> extends ShapeRule {
  readonly out: IsUnknown<this["in"]> extends true
    ? Shape
    : this["in"] extends [infer B, infer H, infer W, infer C]
      ? [
          B,
          WindowSize<H, Side<Kernel, 0>, Side<Stride, 0>, Pad>,
          WindowSize<W, Side<Kernel, 1>, Side<Stride, 1>, Pad>,
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
 * @throws RangeError for a size that is not a positive integer, or another padding; ShapeError from `apply` for another rank, or an
 *   image smaller than the window
 */
export function maxPool2d<
  const Kernel extends Sides,
  const Stride extends Sides = Kernel,
  const Pad extends "same" | "valid" = "valid",
>(options: PoolOptions<Kernel, Stride, Pad>): TensorLayer<NoParameters, Pool2dShape<"maxPool2d", Kernel, Stride, Pad>> {
  return pool("maxPool2d", "MaxPool", options) as never;
}

/**
 * The mean of each window, `avgPool2d({ kernelSize: 2 })`: `[batch, height, width, channels]` gives
 * `[batch, height / 2, width / 2, channels]`, rounded down (`torch.nn.AvgPool2d`, whose channels come second).
 *
 * @throws RangeError for a size that is not a positive integer, or another padding; ShapeError from `apply` for another rank, or an
 *   image smaller than the window
 */
export function avgPool2d<
  const Kernel extends Sides,
  const Stride extends Sides = Kernel,
  const Pad extends "same" | "valid" = "valid",
>(options: PoolOptions<Kernel, Stride, Pad>): TensorLayer<NoParameters, Pool2dShape<"avgPool2d", Kernel, Stride, Pad>> {
  return pool("avgPool2d", "AvgPool", options) as never;
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
  const Pad extends "same" | "valid" = "valid",
>(options: PoolOptions<Kernel, Stride, Pad>): TensorLayer<NoParameters, Pool1dShape<"maxPool1d", Kernel, Stride, Pad>> {
  return pool("maxPool1d", "MaxPool", options) as never;
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
  const Pad extends "same" | "valid" = "valid",
>(options: PoolOptions<Kernel, Stride, Pad>): TensorLayer<NoParameters, Pool1dShape<"avgPool1d", Kernel, Stride, Pad>> {
  return pool("avgPool1d", "AvgPool", options) as never;
}

function pool(name: string, kernel: "MaxPool" | "AvgPool", options: PoolOptions) {
  const isSequence = name.endsWith("1d");
  const filterSize = pairOf(`${name}: kernelSize`, options.kernelSize, isSequence);
  const strides = pairOf(`${name}: stride`, options.stride ?? options.kernelSize, isSequence);
  const pad = options.padding ?? "valid";
  if (pad !== "same" && pad !== "valid")
    throw new RangeError(`${name}: padding must be "same" or "valid", got ${JSON.stringify(pad)}`);
  return tensorLayer<NoParameters, ShapeRule>({
    name,
    settings: options,
    parameters: {},
    apply: (_, input) => {
      checkShape(name, input, isSequence, filterSize, pad);
      const [batch, ...rest] = input.shape as [number, ...number[]];
      const x = isSequence ? reshapeTo(input, [batch, 1, ...rest]) : input;
      const small = run(kernel, { x }, { filterSize, strides, pad, dimRoundingMode: undefined });
      const result = isSequence ? reshapeTo(small, [batch, ...small.shape.slice(2)]) : small;
      const names = namesOf(input);
      return label(
        result,
        names?.map((each, i) => (i === 0 || i === names.length - 1 ? each : undefined)),
      );
    },
  });
}

function checkShape(name: string, x: AnyTensor, isSequence: boolean, [high, wide]: Pair, pad: string): void {
  const axes = isSequence ? "batch, time, channels" : "batch, height, width, channels";
  if (x.rank !== (isSequence ? 3 : 4)) throw new ShapeError(`${name}: expected [${axes}], got ${shapeText(x)}`);
  const [height, width] = isSequence ? [1, x.shape[1]!] : [x.shape[1]!, x.shape[2]!];
  if (pad === "valid" && (height < high || width < wide))
    throw new ShapeError(`${name}: the input ${shapeText(x)} is smaller than the window ${high} by ${wide}`);
}
