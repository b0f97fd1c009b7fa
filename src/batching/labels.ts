import type { Label } from "./sequences.ts";

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
