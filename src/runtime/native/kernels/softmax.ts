import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { runKernel, storageIn } from "./run-kernel.ts";

/** The softmax over the last axis, or its logarithm, in the storage and shape of `x`. */
export const softmax = (x: Tensor, log: boolean): Tensor =>
  runKernel("Softmax", { T: { storage: storageIn(x) }, log }, [x], 1)[0]!;

/** Its gradient from the result `y`, in the shape of both; they have one storage. */
export const softmaxGradient = (dy: Tensor, y: Tensor, log: boolean): Tensor =>
  runKernel("SoftmaxGrad", { T: { storage: storageIn(y) }, log }, [dy, y], 1)[0]!;
