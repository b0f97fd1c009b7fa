import { random } from "./random.ts";

export interface Split<T> {
  train: T[];
  validation: T[];
}

/**
 * Shuffles by `seed` and sets `validation` aside: a share below 1, or a number of examples. Each example lands in
 * exactly one of the two, and neither is empty.
 */
export function split<T>(examples: readonly T[], { validation, seed }: { validation: number; seed: number }): Split<T> {
  const size = validation < 1 ? Math.round(examples.length * validation) : validation;
  if (!Number.isInteger(size) || size < 1 || size >= examples.length) {
    throw new RangeError(
      `validation must leave examples on both sides: ${validation} of ${examples.length} examples is ${size}`,
    );
  }
  const shuffled = random(seed).shuffle(examples);
  return { train: shuffled.slice(size), validation: shuffled.slice(0, size) };
}
