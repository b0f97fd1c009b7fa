import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { runKernel, storageIn } from "./run-kernel.ts";

/** A float32 bias `[features]` added to `x: [..., features]`, in the storage of `x`. */
export const biasAdd = (x: Tensor, bias: Tensor): Tensor =>
  runKernel("BiasAdd", { T: { storage: storageIn(x) } }, [x, bias], 1)[0]!;
