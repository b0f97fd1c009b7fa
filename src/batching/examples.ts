import type { Batch, LabelledBatch } from "./batch.ts";
import { checkNames, valueFor } from "./lengths.ts";
import { checkedLengths, isSequence, type Sequence, type SequenceChecks } from "./sequences.ts";

/** The names of an example's sequences; none where the example is one sequence. */
export type NameOf<E> = [E] extends [Sequence]
  ? never
  : {
      [K in keyof E & string]-?: K extends "label" ? never : E[K] extends Sequence ? K : never;
    }[keyof E & string];

/**
 * Examples that are one sequence each, or objects of any number of sequences by name and a label of the whole:
 * `{ source: { tokens }, target: { tokens }, label }`. Other properties are ignored.
 */
export type Examples<L extends readonly object[]> = L &
  ([L[number]] extends [Sequence] ? unknown : [NameOf<L[number]>] extends [never] ? readonly Sequence[] : unknown);

/** The batch of examples of type `E`: one rectangle, or one for each name. All rectangles have the same examples in each row. */
export type BatchOf<E> = [E] extends [Sequence]
  ? RectangleOf<E>
  : { [K in NameOf<E>]: K extends keyof E ? RectangleOf<E[K]> : Batch } & LabelledBatch;

/** The rectangle of sequences of type `S`, with features, labels and type ids of tokens where every sequence has them. */
type RectangleOf<S> = Batch &
  ([S] extends [{ features: ArrayLike<number> }] ? { features: Float32Array } : unknown) &
  ([S] extends [{ tokenLabels: ArrayLike<number> }] ? { tokenLabels: Int32Array } : unknown) &
  ([S] extends [{ typeIds: ArrayLike<number> }] ? { typeIds: Int32Array } : unknown);

/** The sequences of one name. */
export interface ExamplePart {
  /** Undefined where an example is one sequence. */
  name: string | undefined;
  sequences: readonly Sequence[];
}

/** Properties that a batch has beside its rectangles. */
const RESERVED = ["indices", "labels", "labelWidth"];

/**
 * The sequences of the examples by name.
 *
 * @throws RangeError when there are no examples; TypeError with the index of an example that has other names than the first
 */
export function partsOf(examples: readonly object[]): ExamplePart[] {
  if (examples.length === 0) throw new RangeError("expected at least one sequence, got none");
  const first = examples[0]!;
  if (isSequence(first)) {
    examples.forEach((example, i) => {
      if (!isSequence(example)) {
        throw new TypeError(`example ${i} has ${listed(keysOf(example))}, but example 0 is one sequence`);
      }
    });
    return [{ name: undefined, sequences: examples as readonly Sequence[] }];
  }
  const names = namesIn(first);
  if (names.length === 0) {
    throw new TypeError(
      `example 0 has no sequence: expected tokens, features or sequences by name, got ${listed(keysOf(first))}`,
    );
  }
  for (const name of names) {
    if (RESERVED.includes(name))
      throw new TypeError(`a sequence cannot be named ${name}: batches have a ${name} of their own`);
  }
  examples.forEach((example, i) => {
    const own = namesIn(example);
    if (own.length === names.length && own.every((name) => names.includes(name))) return;
    throw new TypeError(`example ${i} has the sequences ${listed(own)}, but example 0 has ${listed(names)}`);
  });
  return names.map((name) => ({
    name,
    sequences: examples.map((example) => (example as Record<string, Sequence>)[name]!),
  }));
}

function namesIn(example: object): string[] {
  if (isSequence(example)) return [];
  return Object.entries(example)
    .filter(([name, value]) => name !== "label" && isSequence(value))
    .map(([name]) => name);
}

function keysOf(example: unknown): string[] {
  return typeof example === "object" && example !== null ? Object.keys(example) : [];
}

function listed(names: readonly string[]): string {
  return names.length > 0 ? names.join(", ") : "none";
}

/**
 * The length of each sequence, in tokens; by name where an example has several.
 *
 * @throws RangeError when there are no examples, or with the index of the first one that is empty or has an invalid id; TypeError
 *   for examples with different names
 */
export function lengthsOf<L extends readonly object[]>(
  examples: Examples<L>,
  checks: SequenceChecks<NameOf<L[number]>> = {},
): [NameOf<L[number]>] extends [never] ? Int32Array : Record<NameOf<L[number]>, Int32Array> {
  return partLengths(partsOf(examples), checks) as ReturnType<typeof lengthsOf<L>>;
}

/** As `lengthsOf`, of the parts. */
export function partLengths(
  parts: readonly ExamplePart[],
  { vocabularySize }: SequenceChecks<string>,
): Int32Array | Record<string, Int32Array> {
  const names = parts.map(({ name }) => name);
  checkNames("vocabularySize", vocabularySize, names);
  const lists = parts.map(({ name, sequences }) => checkedLengths(sequences, valueFor(vocabularySize, name), name));
  return names[0] === undefined ? lists[0]! : Object.fromEntries(names.map((name, l) => [name, lists[l]!]));
}
