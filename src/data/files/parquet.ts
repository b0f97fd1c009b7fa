import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import type { DataRecord } from "./record.ts";

export interface ParquetOptions {
  /** Only these columns are read; all by default. */
  columns?: readonly string[];
}

/**
 * The rows of a Parquet file, one row group in memory at a time. Whole numbers of 64 bits that a double holds exactly come as
 * numbers. Uncompressed and Snappy files are read.
 */
export async function* readParquet(path: string, { columns }: ParquetOptions = {}): AsyncGenerator<DataRecord> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
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

function plain(row: DataRecord): DataRecord {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ]),
  );
}
