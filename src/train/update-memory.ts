import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { nativeMemory, resetPeak, tf } from "../runtime/index.ts";
import type { Optimizer } from "./optimizer.ts";

/** Makes an optimizer of some parameters, for instance `adamW`. */
export type OptimizerMaker = (parameters: Variable[]) => Optimizer;

/** Side of a matrix that stands for all parameters; a step's vectors are then much larger than its numbers. */
const SIDE = 256;

const measured = new WeakMap<OptimizerMaker, number>();

/** The bytes that a step of an optimizer allocates for each parameter, besides gradients and state; measured on one matrix. */
export function updateBytes(make: OptimizerMaker): number {
  const known = measured.get(make);
  if (known !== undefined) return known;
  const variable = tf.variable(tf.fill([SIDE, SIDE], 1));
  const optimizer = make([variable]);
  const gradient = () => tf.fill([SIDE, SIDE], 0.1);
  optimizer.step([gradient()]);
  const last = gradient();
  tf.dispose(tf.neg(last));
  const { live } = nativeMemory();
  resetPeak();
  optimizer.step([last]);
  const bytes = (nativeMemory().peak - live) / SIDE ** 2;
  optimizer.dispose();
  variable.dispose();
  measured.set(make, bytes);
  return bytes;
}

/** The bytes of an optimizer's state for some parameters. Its zeros have no memory of TensorFlow until a step uses them. */
export function stateBytes(make: OptimizerMaker, variables: readonly Variable[]): number {
  const optimizer = make([...variables]);
  const { bytes } = optimizer;
  optimizer.dispose();
  return bytes;
}
