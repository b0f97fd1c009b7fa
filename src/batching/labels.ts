import { sequenceText } from "./lengths.ts";
import { type Label, lengthOf, type Sequence } from "./sequences.ts";

/** The labels of all examples. */
export interface Labels {
  /** End to end. */
  values: Float32Array;
  /** Numbers of a label; undefined where a label is a number. */
  width: number | undefined;
}

/**
 * The label of each example; undefined when there are none. `textOf` names an example in an error message.
 *
 * @throws RangeError when only some examples have a label, one is not finite, or vectors have different lengths
 */
export function labelsOf(examples: readonly object[], textOf: (index: number) => string): Labels | undefined {
  const width = widthOf(labelOf(examples[0]!));
  examples.forEach((example, i) => {
    const label = labelOf(example);
    const own = widthOf(label);
    if (own !== width) {
      const [found, expected] = [own, width].includes("none")
        ? [own === "none" ? "no label" : "a label", width === "none" ? "none" : "one"]
        : [labelText(own), labelText(width)];
      throw new RangeError(`${textOf(i)} has ${found}, but ${textOf(0)} has ${expected}`);
    }
    const wrong = numbersOf(label).find((value) => !Number.isFinite(value));
    if (wrong !== undefined) {
      throw new RangeError(`${textOf(i)} has the label ${wrong}: labels must be finite numbers`);
    }
  });
  if (width === "none") return undefined;
  const values = Float32Array.from(examples.flatMap((example) => numbersOf(labelOf(example))));
  return { values, width: width === "number" ? undefined : width };
}

/** The labels of a batch's examples, as properties of the batch. */
export function takeLabels(
  labels: Labels | undefined,
  indices: Int32Array,
): { labels?: Float32Array; labelWidth?: number } {
  if (!labels) return {};
  const { values, width } = labels;
  if (width === undefined) return { labels: Float32Array.from(indices, (i) => values[i]!) };
  const taken = new Float32Array(indices.length * width);
  indices.forEach((i, n) => {
    taken.set(values.subarray(i * width, (i + 1) * width), n * width);
  });
  return { labels: taken, labelWidth: width };
}

function labelOf(example: object): Label | undefined {
  return "label" in example ? (example.label as Label | undefined) : undefined;
}

function widthOf(label: Label | undefined): number | "number" | "none" {
  if (label === undefined) return "none";
  return typeof label === "number" ? "number" : label.length;
}

function labelText(width: number | "number" | "none"): string {
  return width === "number" ? "one number as its label" : `a label of ${width} numbers`;
}

function numbersOf(label: Label | undefined): number[] {
  if (label === undefined) return [];
  return typeof label === "number" ? [label] : Array.from(label);
}

/**
 * Whether the sequences have a label for each token.
 *
 * @throws RangeError when only some have, their number is not that of the tokens, or one is not an integer
 */
export function haveTokenLabels(sequences: readonly Sequence[], name?: string): boolean {
  const labelled = tokenLabelsOf(sequences[0]!) !== undefined;
  sequences.forEach((sequence, i) => {
    const labels = tokenLabelsOf(sequence);
    if ((labels !== undefined) !== labelled) {
      throw new RangeError(
        `${sequenceText(i, name)} has ${labelled ? "no token labels" : "token labels"}, but ${sequenceText(0, name)} has ${labelled ? "some" : "none"}`,
      );
    }
    if (labels === undefined) return;
    const length = lengthOf(sequence);
    if (labels.length !== length) {
      throw new RangeError(
        `${sequenceText(i, name)} has ${labels.length} token labels for ${length} tokens: expected one for each token`,
      );
    }
    for (let t = 0; t < length; t++) {
      if (Number.isInteger(labels[t])) continue;
      throw new RangeError(
        `${sequenceText(i, name)} has the label ${labels[t]} at token ${t}: token labels must be integers`,
      );
    }
  });
  return labelled;
}

/** The label of each token of a sequence; undefined without token labels. */
export function tokenLabelsOf(sequence: Sequence): ArrayLike<number> | undefined {
  return "tokenLabels" in sequence ? sequence.tokenLabels : undefined;
}
