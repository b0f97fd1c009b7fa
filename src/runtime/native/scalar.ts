import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../load.ts";
import { scalarValues } from "./backend.ts";

type DType = "float32" | "int32" | "bool";

/** A new scalar. The caller disposes it. */
export const scalarOf = (value: number, dtype: DType): Tensor =>
  tf.engine().makeTensor(stored(value, dtype), [], dtype);

// As in NumPy, every number except 0 is true, including NaN.
const stored = (value: number, dtype: DType) =>
  dtype === "float32" ? scalarValues(value) : dtype === "int32" ? Int32Array.of(value) : Uint8Array.of(+(value !== 0));
