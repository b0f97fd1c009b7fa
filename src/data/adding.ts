import { checkPositiveInteger } from "../base/checks.ts";
import { random } from "./random.ts";

/** Options of `addingProblem`. */
export interface AddingOptions {
  /** How many sequences. */
  count: number;
  seed: number;
  /** Shortest and longest sequence; lengths are drawn uniformly between them. T and T + T/10 in the paper. */
  minLength: number;
  maxLength: number;
}

/** One sequence of the adding problem. */
export interface AddingExample {
  /** `[time, 2]`, row by row: a value in [0, 1), and a marker that is 1 at two steps and 0 elsewhere. */
  features: Float32Array;
  length: number;
  /** The sum of the two marked values, in [0, 2). */
  label: number;
}

/**
 * The adding problem: the input is a sequence of pairs (value, marker), the label the sum of the two values whose marker is 1.
 *
 * Hochreiter & Schmidhuber 1997, "Long Short-Term Memory", experiment 4, in the variant used since Le, Jaitly & Hinton
 * 2015 (arXiv 1504.00941): values uniform in [0, 1), target the plain sum, one marker in each half. The paper draws
 * from [-1, 1], marks one of the first ten pairs, and scales the target to 0.5 + sum / 4. Always answering 1 has a mean
 * squared error of 1/6.
 *
 * @throws RangeError when `count` is not positive, `minLength` is below 2 or `maxLength` below `minLength`
 */
export function addingProblem({ count, seed, minLength, maxLength }: AddingOptions): AddingExample[] {
  checkPositiveInteger("count", count);
  if (!Number.isInteger(minLength) || minLength < 2) {
    throw new RangeError(`minLength must be an integer of at least 2 (room for two markers), got ${minLength}`);
  }
  if (!Number.isInteger(maxLength) || maxLength < minLength) {
    throw new RangeError(`maxLength must be an integer of at least minLength (${minLength}), got ${maxLength}`);
  }
  const rng = random(seed);
  return Array.from({ length: count }, () => {
    const length = rng.integer(minLength, maxLength + 1);
    const features = new Float32Array(2 * length);
    for (let t = 0; t < length; t++) features[2 * t] = rng.uniform();
    const half = length >> 1;
    const markedSteps = [rng.integer(0, half), rng.integer(half, length)];
    for (const t of markedSteps) features[2 * t + 1] = 1;
    return { features, length, label: markedSteps.reduce((sum, t) => sum + features[2 * t]!, 0) };
  });
}
