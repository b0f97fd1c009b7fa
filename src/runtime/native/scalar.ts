import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../load.ts";
import { scalarValues } from "./backend.ts";

type DType = "float32" | "int32" | "bool";

const engine = tf.engine();
const numbers = new WeakSet<object>();

/** A new scalar. The caller disposes it. */
export function scalarOf(value: number, dtype: DType): Tensor {
  const scalar = engine.makeTensor(stored(value, dtype), [], dtype);
  // TensorFlow's backend keeps the number itself.
  if (engine.backendName !== "tensorflow") numbers.add(scalar.dataId);
  return scalar;
}

/** Off TensorFlow: did `scalarOf` make the data of a JavaScript number? */
export const isNumber = (dataId: object): boolean => numbers.has(dataId);

// As in NumPy, every number except 0 is true, including NaN.
const stored = (value: number, dtype: DType) =>
  dtype === "float32" ? scalarValues(value) : dtype === "int32" ? Int32Array.of(value) : Uint8Array.of(+(value !== 0));
