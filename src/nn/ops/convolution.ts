// Convolutions with gradients of every order, from TensorFlow's three kernels: the convolution, its gradient for the input, and
// its gradient for the filter. Each is linear in both of its inputs, and the gradients of each are the other two.
import { differentiable, reshapeTo, run, scoped } from "../../tensor/engine.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";

/** Sizes along height and width. */
export type Pair = readonly [number, number];

/** How a window of a filter moves over an image. */
export interface Window {
  strides: Pair;
  /** TensorFlow's padding: "same" gives `ceil(size / stride)` outputs. */
  pad: "same" | "valid";
  /** Whether each channel has filters of its own, `[height, width, channels, multiplier]`. */
  isDepthwise: boolean;
}

const attributes = ({ strides, pad }: Window, shapes: { inputShape?: number[]; filterShape?: number[] }) => ({
  ...{ strides, pad, dataFormat: "NHWC", dilations: [1, 1], dimRoundingMode: undefined },
  ...shapes,
});

const kernel = ({ isDepthwise }: Window, suffix: "" | "BackpropInput" | "BackpropFilter"): string =>
  `${isDepthwise ? "DepthwiseConv2dNative" : "Conv2D"}${suffix}`;

/** Images `[batch, height, width, in]` and a filter `[height, width, in, out]` give `[batch, height, width, out]`. */
export function convolve(x: AnyTensor, filter: AnyTensor, window: Window): AnyTensor {
  return differentiable("conv2d", [x, filter], {
    forward: (save) => {
      save([x, filter]);
      return run(kernel(window, ""), { x, filter }, attributes(window, {}));
    },
    backward: (dy, [keptX, keptFilter]) => [
      () => spread(dy, keptFilter!, keptX!.shape, window),
      () => filterGradient(keptX!, dy, keptFilter!.shape, window),
    ],
  });
}

/** The gradient of `convolve` for its input of a given shape, which is the transposed convolution of `dy`. */
export function spread(dy: AnyTensor, filter: AnyTensor, inputShape: number[], window: Window): AnyTensor {
  return differentiable("conv2d", [dy, filter], {
    forward: (save) => {
      save([dy, filter]);
      return run(kernel(window, "BackpropInput"), { dy, filter }, attributes(window, { inputShape }));
    },
    backward: (g, [keptDy, keptFilter]) => [
      () => convolve(g, keptFilter!, window),
      () => filterGradient(g, keptDy!, keptFilter!.shape, window),
    ],
  });
}

function filterGradient(x: AnyTensor, dy: AnyTensor, filterShape: number[], window: Window): AnyTensor {
  return differentiable("conv2d", [x, dy], {
    forward: (save) => {
      save([x, dy]);
      return run(kernel(window, "BackpropFilter"), { x, dy }, attributes(window, { filterShape }));
    },
    backward: (g, [keptX, keptDy]) => [
      () => spread(keptDy!, g, keptX!.shape, window),
      () => convolve(keptX!, g, window),
    ],
  });
}

/**
 * A filter with `dilation - 1` zeros between its elements: a dilated convolution is the convolution with it. TensorFlow's
 * gradients do not know dilation on a CPU.
 */
export function dilated(filter: AnyTensor, [high, wide]: Pair): AnyTensor {
  if (high === 1 && wide === 1) return filter;
  const [height, width, ...channels] = filter.shape as [number, number, number, number];
  return scoped("conv2d", () => {
    const apart = reshapeTo(filter, [height, 1, width, 1, ...channels]);
    const paddings = [
      [0, 0],
      [0, high - 1],
      [0, 0],
      [0, wide - 1],
      [0, 0],
      [0, 0],
    ];
    const padded = run("PadV2", { x: apart }, { paddings, constantValue: 0 });
    const joined = reshapeTo(padded, [height * high, width * wide, ...channels]);
    const size = [(height - 1) * high + 1, (width - 1) * wide + 1, ...channels];
    return run("Slice", { x: joined }, { begin: [0, 0, 0, 0], size });
  });
}

/** TensorFlow's padding where it is what was asked for, otherwise a border around the images. */
export function padOf(padding: Pair | "same", reach: Pair, stride: Pair): { pad: "same" | "valid"; border: Pair } {
  if (padding === "same") return { pad: "same", border: [0, 0] };
  const isSame = [0, 1].every((i) => stride[i] === 1 && 2 * padding[i]! === reach[i]! - 1);
  return isSame ? { pad: "same", border: [0, 0] } : { pad: "valid", border: padding };
}

/** Images with a border of some rows above and below and columns left and right. */
export function bordered(x: AnyTensor, [rows, columns]: Pair, value: number): AnyTensor {
  if (rows === 0 && columns === 0) return x;
  const paddings = [
    [0, 0],
    [rows, rows],
    [columns, columns],
    [0, 0],
  ];
  return run("PadV2", { x }, { paddings, constantValue: value });
}

/** The channels `[begin, begin + count)` of images or of a filter, its last axis. */
export function channels(x: AnyTensor, begin: number, count: number): AnyTensor {
  const rest = x.shape.slice(0, -1);
  return run("Slice", { x }, { begin: [...rest.map(() => 0), begin], size: [...rest, count] });
}
