import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import type { DataRecord } from "./record.ts";

/** Options of `readParquet`. */
export interface ParquetOptions {
  /** The columns to read; all by default. */
  columns?: readonly string[];
}

/**
 * The rows of a Parquet file, one row group in memory at a time. A 64-bit integer becomes a number where a double holds it
 * exactly, else a bigint. Files may be uncompressed or compressed with Snappy.
 *
 * @throws Error when it is not a Parquet file, RangeError when it lacks one of `columns`
 */
export async function* readParquet(path: string, { columns }: ParquetOptions = {}): AsyncGenerator<DataRecord> {
  const { file, metadata } = await openParquet(path);
  const known = metadata.schema.slice(1).map(({ name }) => name);
  for (const column of columns ?? []) {
    if (!known.includes(column)) throw new RangeError(`${path} has no column ${column}; it has ${known.join(", ")}`);
  }
  let from = 0;
  for (const { num_rows } of metadata.row_groups) {
    const to = from + Number(num_rows);
    const options = { file, metadata, rowStart: from, rowEnd: to, ...(columns ? { columns: [...columns] } : {}) };
    for (const row of await parquetReadObjects(options)) yield plain(row);
    from = to;
  }
}

/** @throws Error when it is not a Parquet file */
export async function openParquet(path: string) {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((error: Error) => {
    throw new Error(`${path} is not a whole Parquet file: ${error.message}`, { cause: error });
  });
  return { file, metadata };
}

function plain(row: DataRecord): DataRecord {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ]),
  );
}
