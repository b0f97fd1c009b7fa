import { isTensor } from "../tensor/tree.ts";
import type { Objective } from "./objective.ts";

/** The label of what does not count, as in PyTorch. */
export const IGNORED = -100;

/** What needs the labels, for messages. */
export const lossText = (name: Objective): string => `loss "${name}"`;

export const metricsText = 'the option "metrics"';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The class of each example.
 *
 * @throws TypeError when the batch has no labels, or one is not an integer
 */
export function classLabels(asker: string, batch: unknown): ArrayLike<number> {
  return whole(asker, field(asker, batch, "labels", "a label for each example"));
}

/** The real labels of the examples. */
export function realLabels(asker: string, batch: unknown): { values: Float32Array; size: number } {
  const values = field(asker, batch, "labels", "a label for each example");
  return { values: values instanceof Float32Array ? values : Float32Array.from(values), size: values.length };
}

/**
 * The class of each token of the batch, or of its `target`.
 *
 * @throws TypeError when it has no token labels, or one is not an integer
 */
export function tokenLabels(asker: string, batch: unknown): ArrayLike<number> {
  return whole(asker, field(asker, predicted(batch), "tokenLabels", "tokenLabels in each example"));
}

/**
 * The id that follows each token in its sequence; `IGNORED` at the last token of a sequence and on padding.
 *
 * @throws TypeError when the batch has no ids, or not their rows and time
 */
export function nextTokens(asker: string, batch: unknown): ArrayLike<number> {
  const of = predicted(batch);
  const ids = whole(asker, field(asker, of, "ids", "sequences of tokens"));
  const time = timeOf(of);
  if (!time || ids.length % time !== 0) {
    throw new TypeError(
      `${asker} needs ids [rows, time]: give the batch \`rows\` and \`time\`, or make \`ids\` a tensor`,
    );
  }
  const segments = of.segments ?? of.mask;
  const own = segments === undefined ? undefined : numbers(segments);
  const next = new Int32Array(ids.length).fill(IGNORED);
  for (let i = 0; i + 1 < ids.length; i++) {
    if ((i + 1) % time === 0) continue;
    if (!own || (own[i]! > 0 && own[i] === own[i + 1])) next[i] = ids[i + 1]!;
  }
  return next;
}

/**
 * The classes that a loss compares the outputs with; of a loss function, the batch's token labels, or else its labels.
 *
 * @throws TypeError when it has none, or one is not an integer
 */
export function labelsOf(loss: Objective | undefined, batch: unknown): Int32Array {
  if (loss === "nextToken") return Int32Array.from(nextTokens(lossText(loss), batch));
  const fields = typeof batch === "object" && batch !== null ? (batch as Fields) : {};
  const ofTokens = loss ? loss === "tokenCrossEntropy" : predicted(fields).tokenLabels !== undefined;
  if (!loss && !ofTokens && fields.labels === undefined)
    throw new TypeError(
      `${metricsText} needs labels or tokenLabels in the batch, which has ${namesOf(batch)}: return metrics from the loss function`,
    );
  const asker = loss ? lossText(loss) : metricsText;
  return Int32Array.from(ofTokens ? tokenLabels(asker, batch) : classLabels(asker, batch));
}

/** The part of the batch whose tokens are predicted: its `target`, where an example has several sequences. */
function predicted(batch: unknown): Fields {
  const fields = batch as Fields;
  const target = fields?.target;
  const nested = typeof target === "object" && target !== null && ("ids" in target || "tokenLabels" in target);
  return nested ? (target as Fields) : fields;
}

function timeOf({ ids, time }: Fields): number | undefined {
  if (typeof time === "number") return time;
  return isTensor(ids) ? ids.shape.at(-1) : undefined;
}

function field(asker: string, batch: unknown, name: string, from: string): ArrayLike<number> {
  const value = typeof batch === "object" && batch !== null ? (batch as Fields)[name] : undefined;
  const found = value === undefined ? undefined : numbers(value);
  if (found) return found;
  throw new TypeError(
    `${asker} needs ${name}, but the batch has ${namesOf(batch)}: make it from data with ${from}, or give a loss function`,
  );
}

const numbers = (value: unknown): ArrayLike<number> | undefined => {
  if (isTensor(value)) return value.dataSync().slice();
  return Array.isArray(value) || ArrayBuffer.isView(value) ? (value as unknown as ArrayLike<number>) : undefined;
};

function namesOf(batch: unknown): string {
  if (typeof batch !== "object" || batch === null) return `only ${typeof batch}`;
  if (isTensor(batch) || Array.isArray(batch) || ArrayBuffer.isView(batch)) return "no names";
  return Object.keys(batch).join(", ") || "nothing";
}

function whole(asker: string, labels: ArrayLike<number>): ArrayLike<number> {
  if (labels instanceof Int32Array) return labels;
  for (let i = 0; i < labels.length; i++) {
    if (Number.isInteger(labels[i])) continue;
    throw new TypeError(
      `${asker} needs integer labels, got ${labels[i]} at ${i}: use "meanSquaredError" for real ones`,
    );
  }
  return labels;
}
