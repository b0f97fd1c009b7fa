import { random } from "./random.ts";

/** Examples to train on and examples to validate on. */
export interface Split<T> {
  train: T[];
  validation: T[];
}

/**
 * Like `randomSplit`, but keeps each group whole, as scikit-learn's `GroupShuffleSplit`. `by` gives the group of an example,
 * for instance the file it was cut from. Groups are set aside until there are at least `validation` examples (a share below
 * 1, or a number).
 *
 * @throws RangeError when one side would be empty
 */
export function groupSplit<T>(
  examples: readonly T[],
  { validation, seed, by }: { validation: number; seed: number; by: (example: T) => string },
): Split<T> {
  const size = validation < 1 ? Math.round(examples.length * validation) : validation;
  const groups = new Map<string, T[]>();
  for (const example of examples) {
    const group = groups.get(by(example));
    if (group) group.push(example);
    else groups.set(by(example), [example]);
  }
  const out: Split<T> = { train: [], validation: [] };
  for (const group of random(seed).shuffle([...groups.values()])) {
    (out.validation.length < size ? out.validation : out.train).push(...group);
  }
  if (out.train.length === 0 || out.validation.length === 0) {
    throw new RangeError(
      `validation must leave at least one group on both sides: got ${validation} of ${examples.length} examples in ${groups.size} groups`,
    );
  }
  return out;
}

/**
 * Shuffles the examples by `seed` and sets `validation` of them aside: a share below 1, or a number. Each example is in
 * exactly one of the two lists.
 *
 * @throws RangeError when one side would be empty
 */
export function randomSplit<T>(
  examples: readonly T[],
  { validation, seed }: { validation: number; seed: number },
): Split<T> {
  const size = validation < 1 ? Math.round(examples.length * validation) : validation;
  if (!Number.isInteger(size) || size < 1 || size >= examples.length) {
    throw new RangeError(
      `validation must leave at least one example on both sides: ${validation} of ${examples.length} examples is ${size}`,
    );
  }
  const shuffled = random(seed).shuffle(examples);
  return { train: shuffled.slice(size), validation: shuffled.slice(0, size) };
}
