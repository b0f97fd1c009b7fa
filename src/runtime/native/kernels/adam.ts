import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../load.ts";
import { runKernel } from "./run-kernel.ts";

/** The square root of the sum of squares of all elements of a list of float32 tensors. */
export const globalNorm = (gradients: readonly Tensor[]): Scalar =>
  runKernel("GlobalNorm", { N: gradients.length }, gradients, 1)[0] as Scalar;

/** What the update of one step needs besides tensors. */
export interface AdamNumbers {
  betas: readonly [number, number];
  /** The factor of the step, with the bias corrections. */
  rate: number;
  epsilon: number;
  /** The factor of the parameter. */
  kept: number;
  /** The share of the parameter that is added to the gradient. */
  decay: number;
  /** Of the gradients, with `norm`. */
  maxNorm: number | undefined;
  /** Of each element of the gradient. */
  maxValue: number | undefined;
}

interface AdamStep {
  parameters: readonly Tensor[];
  /** One for each parameter, or one vector for all. */
  gradients: readonly Tensor[];
  /** The moments of all parameters, one after the other. */
  first: Tensor1D;
  second: Tensor1D;
  /** The common norm of all gradients, also of other groups, to clip by. */
  norm: Scalar | undefined;
  numbers: AdamNumbers;
}

/** One step of Adam or AdamW: the new parameters and moments. All tensors are float32. */
export function adamStep({ parameters, gradients, first, second, norm, numbers }: AdamStep): {
  parameters: Tensor[];
  first: Tensor1D;
  second: Tensor1D;
} {
  const { betas, rate, epsilon, kept, decay, maxNorm = 0, maxValue = Number.POSITIVE_INFINITY } = numbers;
  const given = tf.tensor1d([1 - betas[0], betas[1], 1 - betas[1], rate, epsilon, kept, decay, maxNorm, maxValue]);
  const count = parameters.length;
  const attributes = { N: count, G: gradients.length, norms: norm ? 1 : 0 };
  const inputs = [...parameters, ...gradients, first, second, given, ...(norm ? [norm] : [])];
  const made = runKernel("Adam", attributes, inputs, count + 2);
  given.dispose();
  return { parameters: made.slice(0, count), first: made[count] as Tensor1D, second: made[count + 1] as Tensor1D };
}
