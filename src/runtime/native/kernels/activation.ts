import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { type DropoutMask, maskAttributes, withSeed } from "./dropout.ts";
import { runKernel, storageIn } from "./run-kernel.ts";

/** In the order of their numbers in activation.cc. */
const curves = ["relu", "gelu", "geluTanh", "silu"] as const;
export type ActivationCurve = (typeof curves)[number];

/** `dropout(curve(x + bias))`, elementwise, in the storage of `x`; the bias is float32, of the last axis. */
export function activation(
  x: Tensor,
  curve: ActivationCurve,
  { bias, mask }: { bias?: Tensor | undefined; mask?: DropoutMask | undefined } = {},
): Tensor {
  const run = (seed?: Tensor) => {
    const attributes = { ...common(x, curve, mask), biases: Number(!!bias), seeds: Number(!!seed) };
    return runKernel("Activation", attributes, [x, ...(bias ? [bias] : []), ...(seed ? [seed] : [])], 1)[0]!;
  };
  return mask ? withSeed(mask, run) : run();
}

/** Its gradient by `x + bias`, elementwise; both tensors have one storage. */
export function activationGradient(
  dy: Tensor,
  x: Tensor,
  curve: Exclude<ActivationCurve, "relu">,
  mask: DropoutMask | undefined,
): Tensor {
  const run = (seed?: Tensor) => {
    const attributes = { ...common(x, curve, mask), seeds: Number(!!seed) };
    return runKernel("ActivationGrad", attributes, [dy, x, ...(seed ? [seed] : [])], 1)[0]!;
  };
  return mask ? withSeed(mask, run) : run();
}

/** The gradient of a rectifier with dropout, from its result `y`: what it kept was scaled. Both tensors have one storage. */
export const reluGradient = (dy: Tensor, y: Tensor, mask: DropoutMask | undefined): Tensor =>
  runKernel("ActivationGrad", { ...common(y, "relu", mask), seeds: 0 }, [dy, y], 1)[0]!;

const common = (x: Tensor, curve: ActivationCurve, mask: DropoutMask | undefined) => ({
  ...{ T: { storage: storageIn(x) }, curve: curves.indexOf(curve), ...maskAttributes(mask) },
});
