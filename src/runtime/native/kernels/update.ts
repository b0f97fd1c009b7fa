import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { uploaded } from "../capture/step-inputs.ts";
import { runKernel } from "./run-kernel.ts";

/** The square root of the sum of squares of all elements of a list of float32 tensors. */
export const globalNorm = (gradients: readonly Tensor[]): Scalar =>
  runKernel("GlobalNorm", { N: gradients.length }, gradients, 1)[0] as Scalar;

/** The kernel of an optimizer's step. */
export interface UpdateRule {
  kernel: "Adam" | "Adam8" | "Sgd" | "Lion" | "RmsProp" | "Adagrad";
  /** What the kernel takes of the rule, in the order that `update.cc`, or `update-8bit.cc`, gives them. Steps are counted from 1. */
  constants(rate: number, step: number): readonly number[];
}

/** The constants of a step, with the bounds of the common norm and of each element of the gradients. */
export const updateNumbers = (
  constants: readonly number[],
  { maxNorm = 0, maxValue = Number.POSITIVE_INFINITY }: { maxNorm: number | undefined; maxValue: number | undefined },
): number[] => [maxNorm, maxValue, ...constants];

interface UpdateInputs {
  parameters: readonly Tensor[];
  /** One for each parameter, or one vector for all. */
  gradients: readonly Tensor[];
  /** Each has a number for each element of all parameters, one after the other; other sizes in `Adam8`. */
  slots: readonly Tensor1D[];
  /** The common norm of all gradients, also of other groups, where it is bounded. */
  norm: Scalar | undefined;
  numbers: readonly number[];
  /** Whether nothing can fail after it, so that the new parameters and state may have the memory of the old ones. */
  isLast: boolean;
}

/** The new parameters and state. All tensors are float32. */
export function updateStep(
  kernel: UpdateRule["kernel"],
  { parameters, gradients, slots, norm, numbers, isLast }: UpdateInputs,
): { parameters: Tensor[]; slots: Tensor1D[] } {
  const given = uploaded(numbers, [numbers.length], "float32");
  const count = parameters.length;
  const attributes = { N: count, G: gradients.length, S: slots.length, norms: norm ? 1 : 0 };
  const donation = isLast ? [...parameters, ...slots] : undefined;
  const inputs = [...parameters, ...gradients, ...slots, given, ...(norm ? [norm] : [])];
  const made = runKernel(kernel, attributes, inputs, count + slots.length, donation);
  given.dispose();
  return { parameters: made.slice(0, count), slots: made.slice(count) as Tensor1D[] };
}
