import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { runKernel, storageIn } from "./run-kernel.ts";

/** The Gaussian error linear unit, elementwise, exact or as the tanh approximation, in the storage of `x`. */
export const gelu = (x: Tensor, tanh: boolean): Tensor =>
  runKernel("Gelu", { T: { storage: storageIn(x) }, tanh }, [x], 1)[0]!;

/** Its gradient, elementwise; both tensors have one storage. */
export const geluGradient = (dy: Tensor, x: Tensor, tanh: boolean): Tensor =>
  runKernel("GeluGrad", { T: { storage: storageIn(x) }, tanh }, [dy, x], 1)[0]!;
