import { assemble, checkPaddingNames, type PaddingOptions, paddingOf, type RectanglePadding } from "./assemble.ts";
import type { Batch, ExampleBatch } from "./batch.ts";
import type { ExamplePart } from "./examples.ts";
import { featureWidth, withFeatures } from "./features.ts";
import { haveTokenLabels, labelsOf, takeLabels, tokenLabelsOf } from "./labels.ts";
import { sequenceText } from "./lengths.ts";
import type { Plan, PlannedBatch } from "./plan.ts";
import { type Sequence, tokensOf } from "./sequences.ts";

/** The sequences of one rectangle of each batch. */
export interface RectangleSource {
  /** Undefined where an example is one sequence. */
  name: string | undefined;
  sequences: readonly Sequence[];
  /** The number of tokens that the plan keeps of each sequence. */
  kept: Int32Array;
  padding: RectanglePadding;
  hasTokenLabels: boolean;
}

/** What batches of sequences are made of. */
export interface BatchSource<B extends ExampleBatch = Batch> {
  rectangles: readonly RectangleSource[];
  /** The batch of its rectangles, each with ids and without features and labels. */
  combine(assembled: readonly Batch[]): B;
}

/**
 * The sources of the examples' rectangles.
 *
 * @throws RangeError for invalid labels, features or padding, or a plan of other examples
 */
export function batchSource(
  examples: readonly object[],
  parts: readonly ExamplePart[],
  plan: Plan,
  options: PaddingOptions<string>,
): BatchSource<ExampleBatch> {
  const names = parts.map(({ name }) => name);
  checkPaddingNames(options, names);
  const finishing = parts.map(({ name, sequences }) => ({
    width: featureWidth(sequences, name),
    labels: labelsOf(sequences, (i) => sequenceText(i, name)),
  }));
  const rectangles = parts.map(({ name, sequences }) => ({
    name,
    sequences,
    kept: keptLengths(plan, name, names, sequences.length),
    padding: paddingOf(options, name),
    hasTokenLabels: haveTokenLabels(sequences, name),
  }));
  const finish = (batch: Batch, r: number): Batch => {
    const { sequences, padding } = rectangles[r]!;
    const { width, labels } = finishing[r]!;
    return withFeatures({ ...batch, ...takeLabels(labels, batch.indices) }, sequences, width, padding);
  };
  if (names[0] === undefined) return { rectangles, combine: ([batch]) => finish(batch!, 0) };
  const labels = labelsOf(examples, (i) => `example ${i}`);
  const combine = (assembled: readonly Batch[]) => {
    const { indices } = assembled[0]!;
    return {
      ...Object.fromEntries(assembled.map((batch, r) => [names[r], finish(batch, r)])),
      indices,
      ...takeLabels(labels, indices),
    };
  };
  return { rectangles, combine };
}

function keptLengths(
  plan: Plan,
  name: string | undefined,
  names: readonly (string | undefined)[],
  count: number,
): Int32Array {
  if (plan.lengths.length !== count) {
    throw new RangeError(`the plan has ${plan.lengths.length} sequences, but ${count} were given`);
  }
  const kept = name === undefined ? plan.lengths : plan.lengthsByName?.[name];
  if (kept && (name !== undefined || !plan.lengthsByName)) return kept;
  const planned = plan.lengthsByName ? Object.keys(plan.lengthsByName).join(", ") : "one sequence an example";
  const given = name === undefined ? "are one sequence each" : `have ${names.join(", ")}`;
  throw new RangeError(`the plan has the lengths of ${planned}, but the examples ${given}`);
}

/** The batch of the source that the plan gives. */
export function batchOf<B extends ExampleBatch>({ rectangles, combine }: BatchSource<B>, planned: PlannedBatch): B {
  return combine(
    rectangles.map(({ name, sequences, kept, padding, hasTokenLabels }) => {
      const tokenLabels = (i: number) => tokenLabelsOf(sequences[i]!)!;
      const source = { kept, tokens: (i: number) => tokensOf(sequences[i]!) };
      return assemble(rectangleOf(planned, name), hasTokenLabels ? { ...source, tokenLabels } : source, padding);
    }),
  );
}

/** The planned rectangle of one name. */
export function rectangleOf(
  { time, widths, rows }: PlannedBatch,
  name: string | undefined,
): Pick<PlannedBatch, "time" | "rows"> {
  return { rows, time: name === undefined ? time : widths![name]! };
}
