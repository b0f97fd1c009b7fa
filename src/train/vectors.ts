// Vectors of an update rule, each freed as soon as it has been used: a step then holds a few vectors of all parameters at most.
import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";

/** The result of each function of the one before, which is disposed at once; also of the first. */
export function pipe(first: Tensor1D, ...steps: readonly ((x: Tensor1D) => unknown)[]): Tensor1D {
  return steps.reduce((x, step) => {
    const result = step(x) as Tensor1D;
    x.dispose();
    return result;
  }, first);
}

/** `a * x + b * y`. */
export const weightedSum = (x: Tensor1D, a: number, y: Tensor1D, b: number): Tensor1D =>
  pipe(tf.mul(x, a) as Tensor1D, (left) => pipe(tf.mul(y, b) as Tensor1D, (right) => tf.add(left, right)));

/** The gradient with weight decay as a part of the loss, `weightDecay / 2` times the sum of squares. */
export const decayedGradient = (gradient: Tensor1D, parameters: () => Tensor1D, weightDecay: number): Tensor1D =>
  weightDecay === 0
    ? gradient
    : pipe(
        parameters(),
        (values) => tf.mul(values, weightDecay),
        (decay) => tf.add(gradient, decay),
      );

/** The parameters after a decay to `keep` times their values, and a change of `-rate` times the direction. */
export const moved = (parameters: () => Tensor1D, keep: number, direction: Tensor1D, rate: number): Tensor1D =>
  pipe(tf.mul(direction, rate) as Tensor1D, (change) =>
    pipe(parameters(), ...(keep === 1 ? [] : [(values: Tensor1D) => tf.mul(values, keep)]), (values) =>
      tf.sub(values, change),
    ),
  );
