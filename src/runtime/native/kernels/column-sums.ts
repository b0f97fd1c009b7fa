import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { runKernel, storageIn } from "./run-kernel.ts";

/** The sum over every axis but the last, in float32 and stored as `x` is: `[columns]`. */
export const columnSums = (x: Tensor): Tensor => runKernel("ColumnSums", { T: { storage: storageIn(x) } }, [x], 1)[0]!;
