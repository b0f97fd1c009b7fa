import { createInterface } from "node:readline";
import { parse } from "csv-parse";
import { openFile } from "./open.ts";
import type { DataRecord } from "./record.ts";

/**
 * Streams the records of a file: `.jsonl`, `.ndjson`, `.csv`, `.tsv`, `.parquet`, and `.txt`, where each line is
 * `{ text }`. All but Parquet may be compressed (`.gz`).
 *
 * @throws TypeError for another file name extension; SyntaxError for a line that is not a JSON object; Error for a CSV row
 *   of another length
 */
export async function* readRecords(path: string): AsyncGenerator<DataRecord> {
  const kind = path.replace(/\.gz$/, "").split(".").at(-1)!.toLowerCase();
  if (kind === "jsonl" || kind === "ndjson") yield* readJsonLines(path);
  else if (kind === "csv" || kind === "tsv") yield* readCsv(path, { delimiter: kind === "tsv" ? "\t" : "," });
  else if (kind === "txt") for await (const text of readLines(path)) yield { text };
  else if (kind === "parquet") yield* (await import("./parquet.ts")).readParquet(path);
  else
    throw new TypeError(`${path}: expected a file of type .jsonl, .ndjson, .csv, .tsv, .txt or .parquet, got .${kind}`);
}

/** Streams the lines of a text file (or a `.gz` of one), without line endings. */
export async function* readLines(path: string): AsyncGenerator<string> {
  const input = openFile(path);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // readline's iterator does not report an error of its input.
  let failure: unknown;
  input.once("error", (error) => {
    failure = error;
    lines.close();
  });
  try {
    yield* lines;
    if (failure) throw failure;
  } finally {
    input.destroy();
  }
}

/**
 * Streams the objects of a file with one JSON object per line (jsonlines.org). Empty lines are skipped.
 *
 * @throws SyntaxError with the line number when a line is not a JSON object
 */
export async function* readJsonLines(path: string): AsyncGenerator<DataRecord> {
  let number = 0;
  for await (const line of readLines(path)) {
    number++;
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new SyntaxError(`${path}:${number}: ${(error as Error).message}`);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new SyntaxError(`${path}:${number}: expected a JSON object, got ${line.trim().slice(0, 40)}`);
    }
    yield value as DataRecord;
  }
}

/** Options of `readCsv`. */
export interface CsvOptions {
  /** `","` by default. */
  delimiter?: string;
  /** Column names, for a file without a header line. */
  columns?: readonly string[];
}

/** A file may have lines that end in different ways. */
export const lineEnds = ["\r\n", "\n", "\r"];

/**
 * Streams the rows of a CSV file (RFC 4180); every value is a string. `readColumns` reads a whole file with types.
 *
 * @throws Error with the line number when a row has more or fewer values than there are columns
 */
export async function* readCsv(
  path: string,
  { delimiter = ",", columns }: CsvOptions = {},
): AsyncGenerator<DataRecord> {
  const input = openFile(path);
  const parser = parse({
    ...{ delimiter, columns: columns ? [...columns] : true, record_delimiter: lineEnds },
    ...{ bom: true, skip_empty_lines: true },
  });
  input.once("error", (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const row of parser) yield row as DataRecord;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(message.startsWith("ENOENT") ? message : `${path}: ${message}`, { cause: error });
  } finally {
    input.destroy();
  }
}
