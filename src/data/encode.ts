import type { Example } from "./dataset.ts";
import type { DataRecord } from "./files/record.ts";
import type { Tokenizer } from "./text/tokenizer.ts";

/** Options of `encodeRecords`. */
export interface EncodeOptions {
  tokenizer: Tokenizer;
  /** The column with the text; `"text"` by default. */
  text?: string;
  /** The column with the label; by default every label is 0. */
  label?: string;
  /** The class names, in the order of their indices. Without them a label must be a number. */
  classes?: readonly string[];
  /** Most tokens kept of a text, special tokens included; all by default. */
  maxLength?: number;
}

/**
 * Records as examples, one at a time: the text becomes token ids, the label its class index or a number.
 *
 * @throws RangeError with the record's index when its text is missing or empty, or its label is neither a class nor a number
 */
export async function* encodeRecords(
  records: AsyncIterable<DataRecord> | Iterable<DataRecord>,
  options: EncodeOptions,
): AsyncGenerator<Example> {
  const { tokenizer, text: column = "text", label: labelColumn, classes, maxLength } = options;
  const classIndex = classes && new Map(classes.map((name, i) => [name, i]));
  let i = -1;
  for await (const record of records) {
    i++;
    const text = record[column];
    if (typeof text !== "string" || text === "") {
      const found =
        column in record ? JSON.stringify(text) : `no such column (it has ${Object.keys(record).join(", ")})`;
      throw new RangeError(`record ${i}: expected a non-empty text in column ${column}, got ${found}`);
    }
    const label = labelColumn === undefined ? 0 : labelOf(record[labelColumn], classIndex, i, labelColumn);
    yield { tokens: tokenizer.encode(text, maxLength === undefined ? {} : { maxLength }).slice(0, maxLength), label };
  }
}

function labelOf(value: unknown, classes: Map<string, number> | undefined, i: number, column: string): number {
  const label = classes ? classes.get(String(value)) : value === "" || value === null ? Number.NaN : Number(value);
  if (label === undefined) {
    throw new RangeError(
      `record ${i}: the label ${JSON.stringify(value)} in column ${column} is not one of the ${classes!.size} classes`,
    );
  }
  if (!Number.isFinite(label)) {
    throw new RangeError(
      `record ${i}: the label ${JSON.stringify(value)} in column ${column} is not a number. Pass \`classes\` for named labels.`,
    );
  }
  return label;
}

/** Collects all items of an async iterable in an array, as `Array.fromAsync` does. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
