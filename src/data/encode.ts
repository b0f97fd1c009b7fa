import type { Example } from "./dataset.ts";
import type { DataRecord } from "./files/record.ts";
import type { Tokenizer } from "./text/tokenizer.ts";

export interface EncodeOptions {
  tokenizer: Tokenizer;
  /** The column with the text; `"text"` by default. */
  text?: string;
  /** The column with what the model should answer; none by default. */
  label?: string;
  /**
   * The classes, in the order of their indices. Without them a label must be a number already. A label that is not among
   * them is an error.
   */
  classes?: readonly string[];
  /** Only so many tokens of a text are kept, special ones included; all by default. */
  maxLength?: number;
}

/**
 * Records as examples, one after another: text to token ids, label to its index.
 *
 * @throws RangeError with the record's index when it has no text, an empty one, or a label that is none
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
        column in record
          ? `${JSON.stringify(text)} in column ${column}`
          : `no column ${column}, but ${Object.keys(record).join(", ")}`;
      throw new RangeError(`record ${i} has ${found}: a text of at least one character is needed`);
    }
    const label = labelColumn === undefined ? 0 : labelOf(record[labelColumn], classIndex, i, labelColumn);
    yield { tokens: tokenizer.encode(text, maxLength === undefined ? {} : { maxLength }).slice(0, maxLength), label };
  }
}

function labelOf(value: unknown, classes: Map<string, number> | undefined, i: number, column: string): number {
  const label = classes ? classes.get(String(value)) : value === "" || value === null ? Number.NaN : Number(value);
  if (label === undefined) {
    throw new RangeError(
      `record ${i} has ${JSON.stringify(value)} in column ${column}, which is none of the ${classes!.size} classes`,
    );
  }
  if (!Number.isFinite(label)) {
    throw new RangeError(`record ${i} has ${JSON.stringify(value)} in column ${column}: give the classes, or a number`);
  }
  return label;
}

/** All items of a stream, for data that fits in memory. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
