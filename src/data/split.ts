import { random } from "./random.ts";

export interface Split<T> {
  train: T[];
  validation: T[];
}

/**
 * Like `split`, with whole groups on one side: `by` names the group of an example, for instance the file it was cut from, so
 * that no example is tested of whose group another was trained on. At least `validation` of the examples are set aside,
 * and at most one group more.
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
      `validation must leave groups on both sides: ${validation} of ${examples.length} examples in ${groups.size} groups`,
    );
  }
  return out;
}

/**
 * Shuffles by `seed` and sets `validation` aside: a share below 1, or a number of examples. Each example lands in
 * exactly one of the two, and neither is empty.
 */
export function randomSplit<T>(
  examples: readonly T[],
  { validation, seed }: { validation: number; seed: number },
): Split<T> {
  const size = validation < 1 ? Math.round(examples.length * validation) : validation;
  if (!Number.isInteger(size) || size < 1 || size >= examples.length) {
    throw new RangeError(
      `validation must leave examples on both sides: ${validation} of ${examples.length} examples is ${size}`,
    );
  }
  const shuffled = random(seed).shuffle(examples);
  return { train: shuffled.slice(size), validation: shuffled.slice(0, size) };
}
