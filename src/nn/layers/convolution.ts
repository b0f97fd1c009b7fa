import { checkPositiveInteger } from "../../base/checks.ts";
import { reshapeTo, run } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import type { RandomOptions } from "../../tensor/random.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { affineParameters, type Initialiser, type Parameter, randomFor } from "../initialisers.ts";
import { withBias } from "../ops/add-bias.ts";
import { bordered, channels, convolve, dilated, type Pair, padOf, spread } from "../ops/convolution.ts";
import type { Conv1dShape, Conv2dShape, ConvTranspose2dShape } from "./convolution-shape.ts";
import type { WithBias } from "./linear.ts";
import { requireOptions, settingsOf, type TensorLayer, tensorLayer } from "./tensor-layer.ts";
import { imageOf, paddingOf, pairOf, type Sides, sequenceOf } from "./window.ts";
import type { Padding } from "./window-shape.ts";

/** The options of `conv1d` and `conv2d`. */
export interface ConvOptions<
  In extends number = number,
  Out extends number = number,
  Kernel extends Sides = Sides,
  Stride extends Sides = Sides,
  Pad extends Padding = Padding,
  Dilation extends Sides = Sides,
  Bias extends boolean = boolean,
> extends RandomOptions {
  /** The channels of the input. */
  in: In;
  /** The channels of the output. */
  out: Out;
  /** The size of the filter: one number, or height and width. */
  kernelSize: Kernel;
  /** 1 by default. */
  stride?: Stride;
  /** "valid", none, by default. */
  padding?: Pad;
  /** The distance of the filter's elements; 1 by default. */
  dilation?: Dilation;
  /** Groups of channels that are convolved separately; 1 by default. With `groups` equal to `in` each channel has filters of its own. */
  groups?: number;
  /** Whether a bias is added; true by default. */
  bias?: Bias;
  /** The initial values; both uniform within `1 / sqrt(in / groups * kernel elements)` by default, as in PyTorch. */
  init?: { weight?: Initialiser; bias?: Initialiser };
}

/** The parameters of a convolution: `weight: [...kernel, in / groups, out]` and `bias: [out]`. */
export interface ConvParameters<Rank extends number[] = number[], Out extends number = number> {
  weight: Parameter<Rank>;
  bias: Parameter<[Out]>;
}

/**
 * A convolution of images, `conv2d({ in: 3, out: 16, kernelSize: 3, padding: "same" })`: `[batch, height, width, in]` gives
 * `[batch, height, width, out]` (`torch.nn.Conv2d`, whose channels come second). The weight is `[height, width, in / groups, out]`,
 * PyTorch's transposed by `[2, 3, 1, 0]`.
 *
 * @throws RangeError for a size that is not a positive integer, an invalid padding, or groups that do not divide the channels;
 *   TypeError when `from` is neither a seed nor a generator; ShapeError when an initialiser gives another shape, and from `apply` for
 *   another rank or number of channels, or an image smaller than the kernel
 */
export function conv2d<
  const In extends number,
  const Out extends number,
  const Kernel extends Sides,
  const Stride extends Sides = 1,
  const Pad extends Padding = "valid",
  const Dilation extends Sides = 1,
  const Bias extends boolean = true,
>(
  options: ConvOptions<In, Out, Kernel, Stride, Pad, Dilation, Bias>,
): TensorLayer<
  WithBias<ConvParameters<[number, number, number, Out], Out>, Bias>,
  Conv2dShape<In, Out, Kernel, Stride, Pad, Dilation>
>;
export function conv2d(options: ConvOptions): unknown {
  return convolution("conv2d", options);
}

/**
 * A convolution of sequences, `conv1d({ in: 8, out: 16, kernelSize: 3 })`: `[batch, time, in]` gives `[batch, time, out]`
 * (`torch.nn.Conv1d`, whose channels come second). The weight is `[time, in / groups, out]`, PyTorch's transposed by `[2, 1, 0]`.
 *
 * @throws RangeError, TypeError and ShapeError as `conv2d`
 */
export function conv1d<
  const In extends number,
  const Out extends number,
  const Kernel extends number,
  const Stride extends number = 1,
  const Pad extends "same" | "valid" | number = "valid",
  const Dilation extends number = 1,
  const Bias extends boolean = true,
>(
  options: ConvOptions<In, Out, Kernel, Stride, Pad, Dilation, Bias>,
): TensorLayer<
  WithBias<ConvParameters<[Kernel, number, Out], Out>, Bias>,
  Conv1dShape<In, Out, Kernel, Stride, Pad, Dilation>
>;
export function conv1d(options: ConvOptions): unknown {
  return convolution("conv1d", options);
}

function convolution(name: "conv1d" | "conv2d", options: ConvOptions) {
  requireOptions(name, options);
  const { in: size, out, groups = 1 } = options;
  const isSequence = name === "conv1d";
  for (const [key, value] of Object.entries({ in: size, out, groups })) checkPositiveInteger(`${name}: ${key}`, value);
  if (size % groups !== 0 || out % groups !== 0)
    throw new RangeError(`${name}: ${groups} groups must divide the channels, got in ${size} and out ${out}`);
  const kernel = pairOf(`${name}: kernelSize`, options.kernelSize, isSequence);
  const stride = pairOf(`${name}: stride`, options.stride ?? 1, isSequence);
  const dilation = pairOf(`${name}: dilation`, options.dilation ?? 1, isSequence);
  const padding = paddingOf(`${name}: padding`, options.padding ?? "valid", isSequence);
  const reach: Pair = [(kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1];

  const bound = 1 / Math.sqrt((size / groups) * kernel[0] * kernel[1]);
  const shape = [...(isSequence ? [kernel[1]] : kernel), size / groups, out];
  const parameters = affineParameters(name, shape, out, bound, options, randomFor(options.from));
  const axes = isSequence ? ["batch", "time"] : ["batch", "height", "width"];

  return tensorLayer({
    name,
    settings: settingsOf(options),
    parameters,
    apply: (p, input) => {
      checkImages(name, input, axes, size);
      const x = isSequence ? imageOf(input) : input;
      const bare = isSequence ? reshapeTo(p.weight, [1, ...p.weight.shape]) : p.weight;
      const { pad, border } = padOf(padding, reach, stride);
      for (const axis of [0, 1] as const)
        if (pad === "valid" && x.shape[axis + 1]! + 2 * border[axis] < reach[axis])
          throw new ShapeError(
            `${name}: the input ${shapeText(input)} is smaller than the kernel, which reaches over ${reach[axis]} elements`,
          );
      const filter = dilated(bare, dilation);
      const result = inGroups(bordered(x, border, 0), filter, { strides: stride, pad, groups });
      const flat = isSequence ? sequenceOf(result) : result;
      return batchNamed(withBias(flat, p.bias), input);
    },
  });
}

function inGroups(
  x: AnyTensor,
  filter: AnyTensor,
  { strides, pad, groups }: { strides: Pair; pad: "same" | "valid"; groups: number },
): AnyTensor {
  if (groups === 1) return convolve(x, filter, { strides, pad, isDepthwise: false });
  const [height, width, size, out] = filter.shape as [number, number, number, number];
  // TensorFlow's depthwise kernels need equal strides.
  if (size === 1 && strides[0] === strides[1]) {
    const own = reshapeTo(filter, [height, width, groups, out / groups]);
    return convolve(x, own, { strides, pad, isDepthwise: true });
  }
  const parts = Array.from({ length: groups }, (_, group) =>
    convolve(channels(x, group * size, size), channels(filter, (group * out) / groups, out / groups), {
      ...{ strides, pad, isDepthwise: false },
    }),
  );
  return run("Concat", parts as unknown as Record<string, AnyTensor>, { axis: 3 });
}

/** The options of `convTranspose2d`. */
export interface ConvTransposeOptions<
  In extends number = number,
  Out extends number = number,
  Kernel extends Sides = Sides,
  Stride extends Sides = Sides,
  Pad extends Padding = Padding,
  Extra extends Sides = Sides,
  Bias extends boolean = boolean,
> extends Omit<ConvOptions<In, Out, Kernel, Stride, Pad, Sides, Bias>, "groups" | "dilation"> {
  /** Rows and columns added at the bottom and right, below the stride; 0 by default. */
  outputPadding?: Extra;
}

/**
 * A transposed convolution, which enlarges images, `convTranspose2d({ in: 16, out: 3, kernelSize: 4, stride: 2, padding: 1 })`:
 * `[batch, height, width, in]` gives `[batch, (height - 1) * stride - 2 * padding + kernelSize + outputPadding, ..., out]`
 * (`torch.nn.ConvTranspose2d`), and with padding "same" `height * stride`. The weight is `[height, width, out, in]`.
 *
 * @throws RangeError for a size that is not a positive integer, an invalid padding, or an `outputPadding` that is not below the
 *   stride; TypeError when `from` is neither a seed nor a generator; ShapeError when an initialiser gives another shape, and from
 *   `apply` for another rank or number of channels
 */
export function convTranspose2d<
  const In extends number,
  const Out extends number,
  const Kernel extends Sides,
  const Stride extends Sides = 1,
  const Pad extends Padding = "valid",
  const Extra extends Sides = 0,
  const Bias extends boolean = true,
>(
  options: ConvTransposeOptions<In, Out, Kernel, Stride, Pad, Extra, Bias>,
): TensorLayer<
  WithBias<ConvParameters<[number, number, Out, In], Out>, Bias>,
  ConvTranspose2dShape<In, Out, Kernel, Stride, Pad, Extra>
>;
export function convTranspose2d(options: ConvTransposeOptions): unknown {
  const name = "convTranspose2d";
  requireOptions(name, options);
  const { in: size, out } = options;
  for (const [key, value] of Object.entries({ in: size, out })) checkPositiveInteger(`${name}: ${key}`, value);
  const kernel = pairOf(`${name}: kernelSize`, options.kernelSize);
  const stride = pairOf(`${name}: stride`, options.stride ?? 1);
  const padding = paddingOf(`${name}: padding`, options.padding ?? "valid");
  const extra = outputPaddingOf(name, options.outputPadding ?? 0, stride);

  const bound = 1 / Math.sqrt(out * kernel[0] * kernel[1]);
  const shape = [...kernel, out, size];
  const parameters = affineParameters(name, shape, out, bound, options, randomFor(options.from));
  return tensorLayer({
    name,
    settings: settingsOf(options),
    parameters,
    apply: (p, x) => {
      checkImages(name, x, ["batch", "height", "width"], size);
      const cropped = padding === "same" ? [0, 0] : padding;
      const sizes = [0, 1].map((i) =>
        padding === "same" ? x.shape[i + 1]! * stride[i]! : (x.shape[i + 1]! - 1) * stride[i]! + kernel[i]! + extra[i]!,
      );
      const window = { strides: stride, pad: padding === "same" ? "same" : "valid", isDepthwise: false } as const;
      const whole = spread(x, p.weight, [x.shape[0]!, ...sizes, out], window);
      if (cropped.every((rows) => rows === 0)) return batchNamed(withBias(whole, p.bias), x);
      const begin = [0, ...cropped, 0];
      const inner = [x.shape[0]!, ...sizes.map((length, i) => length - 2 * cropped[i]!), out];
      if (inner.some((length) => length < 1))
        throw new ShapeError(
          `${name}: the padding leaves nothing of ${shapeText(x)}: the result would be [${inner.join(", ")}]`,
        );
      return batchNamed(withBias(run("Slice", { x: whole }, { begin, size: inner }), p.bias), x);
    },
  });
}

/** The rows and columns to add. Throws RangeError unless they are integers of at least 0 below the stride. */
function outputPaddingOf(name: string, padding: Sides, stride: Pair): Pair {
  const pair: Pair = typeof padding === "number" ? [padding, padding] : padding;
  const isBelow = (size: number, i: number) => Number.isInteger(size) && size >= 0 && size < stride[i]!;
  if (Array.isArray(pair) && pair.every(isBelow)) return pair;
  throw new RangeError(
    `${name}: outputPadding must be an integer of at least 0 below the stride ${stride.join(", ")}, got ${JSON.stringify(padding)}`,
  );
}

/** Throws ShapeError for another number of axes or of channels. */
function checkImages(name: string, x: AnyTensor, axes: readonly string[], size: number): void {
  if (x.rank !== axes.length + 1 || x.shape.at(-1) !== size)
    throw new ShapeError(`${name}: expected [${axes.join(", ")}, ${size}], got ${shapeText(x)}`);
}

/** A result in which only the batch axis keeps its name. */
const batchNamed = (result: AnyTensor, x: AnyTensor): AnyTensor =>
  label(result, [namesOf(x)?.[0], ...result.shape.slice(1).map(() => undefined)]);
