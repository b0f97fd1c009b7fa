import { assemble, checkPaddingNames, type PaddingOptions, paddingOf } from "./assemble.ts";
import type { Batch, ExampleBatch } from "./batch.ts";
import type { ExamplePart } from "./examples.ts";
import { featureWidth, withFeatures } from "./features.ts";
import { labelsOf, takeLabels } from "./labels.ts";
import { sequenceText } from "./lengths.ts";
import type { Plan, PlannedBatch } from "./plan.ts";
import { tokensOf } from "./sequences.ts";
import { tokenValues } from "./token-values.ts";

/**
 * The function that makes the planned batches of the examples.
 *
 * @throws RangeError for invalid labels, features or padding, or a plan of other examples
 */
export function batchMaker(
  examples: readonly object[],
  parts: readonly ExamplePart[],
  plan: Plan,
  options: PaddingOptions<string>,
): (planned: PlannedBatch) => ExampleBatch {
  const names = parts.map(({ name }) => name);
  checkPaddingNames(options, names);
  if (plan.lengths.length !== examples.length) {
    throw new RangeError(`the plan has ${plan.lengths.length} sequences, but ${examples.length} were given`);
  }
  const rectangles = parts.map((part) => rectangleMaker(part, keptLengths(plan, part.name, names), options));
  if (names[0] === undefined) return rectangles[0]!;
  const labels = labelsOf(examples, (i) => `example ${i}`);
  return (planned) => {
    const batches = rectangles.map((rectangle) => rectangle(planned));
    const { indices } = batches[0]!;
    return {
      ...Object.fromEntries(batches.map((batch, r) => [names[r], batch])),
      indices,
      ...takeLabels(labels, indices),
    };
  };
}

/** The function that makes one rectangle of each planned batch. */
function rectangleMaker(
  { name, sequences }: ExamplePart,
  kept: Int32Array,
  options: PaddingOptions<string>,
): (planned: PlannedBatch) => Batch {
  const width = featureWidth(sequences, name);
  const labels = labelsOf(sequences, (i) => sequenceText(i, name));
  const padding = paddingOf(options, name);
  const source = {
    kept,
    tokens: (i: number) => tokensOf(sequences[i]!),
    tokenLabels: tokenValues("tokenLabels", sequences, name),
    typeIds: tokenValues("typeIds", sequences, name),
  };
  return ({ time, widths, rows }) => {
    const batch = assemble({ rows, time: name === undefined ? time : widths![name]! }, source, padding);
    return withFeatures({ ...batch, ...takeLabels(labels, batch.indices) }, sequences, width, padding);
  };
}

/** The number of tokens that the plan keeps of each sequence of a name. */
function keptLengths(plan: Plan, name: string | undefined, names: readonly (string | undefined)[]): Int32Array {
  const kept = name === undefined ? plan.lengths : plan.lengthsByName?.[name];
  if (kept && (name !== undefined || !plan.lengthsByName)) return kept;
  const planned = plan.lengthsByName ? Object.keys(plan.lengthsByName).join(", ") : "one sequence an example";
  const given = name === undefined ? "are one sequence each" : `have ${names.join(", ")}`;
  throw new RangeError(`the plan has the lengths of ${planned}, but the examples ${given}`);
}
