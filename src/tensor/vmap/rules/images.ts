// Kernels of images and sequences `[n, height, width, channels]`: the examples' images are taken as one list of images.
import { run } from "../../engine.ts";
import { batched, folded, type Rule, unfolded } from "../call.ts";
import { eachExample } from "./loop.ts";

/** `images` are the inputs whose first axis counts images; where another one is batched, the examples are taken one by one. */
const overImages =
  (...images: string[]): Rule =>
  (call) => {
    const { kernel, inputs, attributes, level } = call;
    const given = Object.entries(inputs);
    if (given.some(([name, input]) => input.batched && !images.includes(name))) return eachExample(call);
    const all = given.map(([name, input]) => [name, images.includes(name) ? folded(batched(input, level)) : input.x]);
    const { inputShape } = attributes as { inputShape?: number[] };
    const more = inputShape && { inputShape: [inputShape[0]! * level.size, ...inputShape.slice(1)] };
    return unfolded(run(kernel, Object.fromEntries(all), { ...attributes, ...more }), level);
  };

export const images: Readonly<Record<string, Rule>> = {
  AvgPool: overImages("x"),
  AvgPool3D: overImages("x"),
  AvgPool3DGrad: overImages("dy", "input"),
  AvgPoolGrad: overImages("dy", "input"),
  Conv2D: overImages("x"),
  Conv2DBackpropInput: overImages("dy"),
  Conv3D: overImages("x"),
  Conv3DBackpropInputV2: overImages("dy"),
  DepthToSpace: overImages("x"),
  DepthwiseConv2dNative: overImages("x"),
  DepthwiseConv2dNativeBackpropInput: overImages("dy"),
  FlipLeftRight: overImages("image"),
  FusedConv2D: overImages("x"),
  FusedDepthwiseConv2D: overImages("x"),
  LRN: overImages("x"),
  LRNGrad: overImages("x", "y", "dy"),
  MaxPool: overImages("x"),
  MaxPool3D: overImages("x"),
  MaxPool3DGrad: overImages("dy", "input", "output"),
  MaxPoolGrad: overImages("dy", "input", "output"),
  ResizeBilinear: overImages("images"),
  ResizeBilinearGrad: overImages("images", "dy"),
  ResizeNearestNeighbor: overImages("images"),
  ResizeNearestNeighborGrad: overImages("images", "dy"),
};
