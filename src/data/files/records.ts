import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import type { DataRecord } from "./record.ts";

/**
 * The records of a file, one after another, without the file ever being whole in memory: `.jsonl` and `.ndjson`, `.csv` and
 * `.tsv`, `.parquet`, and of `.txt` each line as `{ text }`. All but Parquet may end in `.gz`.
 */
export async function* readRecords(path: string): AsyncGenerator<DataRecord> {
  const kind = path.replace(/\.gz$/, "").split(".").at(-1)!.toLowerCase();
  if (kind === "jsonl" || kind === "ndjson") yield* readJsonLines(path);
  else if (kind === "csv" || kind === "tsv") yield* readCsv(path, { delimiter: kind === "tsv" ? "\t" : "," });
  else if (kind === "txt") for await (const text of readLines(path)) yield { text };
  else if (kind === "parquet") yield* (await import("./parquet.ts")).readParquet(path);
  else
    throw new TypeError(
      `${path} ends in .${kind}; records are read from .jsonl, .ndjson, .csv, .tsv, .txt and .parquet`,
    );
}

/** The lines of a text file, without their ends. */
export async function* readLines(path: string): AsyncGenerator<string> {
  const input = open(path);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // An error of the stream does not reach readline's iterator by itself.
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
 * The objects of a file with one JSON object a line; empty lines are skipped.
 *
 * @throws SyntaxError with the line's number when a line is no object
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
      throw new SyntaxError(`${path}:${number}: a line must be one JSON object`);
    }
    yield value as DataRecord;
  }
}

export interface CsvOptions {
  /** `","` by default. */
  delimiter?: string;
  /** Names of the columns, for a file whose first line has none. */
  columns?: readonly string[];
}

/**
 * The rows of a CSV file (RFC 4180), every value as text.
 *
 * @throws Error with the line's number when a row has more or fewer values than there are columns
 */
export async function* readCsv(
  path: string,
  { delimiter = ",", columns }: CsvOptions = {},
): AsyncGenerator<DataRecord> {
  const input = open(path);
  const parser = parse({ delimiter, columns: columns ? [...columns] : true, bom: true, skip_empty_lines: true });
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

function open(path: string): Readable {
  const file = createReadStream(path);
  if (!path.endsWith(".gz")) return file;
  const unzip = createGunzip();
  file.once("error", (error) => unzip.destroy(error));
  return file.pipe(unzip);
}
