import { existsSync } from "node:fs";
import path from "node:path";
import { parquetReadObjects } from "hyparquet";
import type { Column } from "./files/column-types.ts";
import { type Columns, columnsOf } from "./files/columns.ts";
import { openParquet } from "./files/parquet.ts";
import type { DataRecord } from "./files/record.ts";

/**
 * The results of `halftone sweep` in a folder: a row for each point that has ended, a column for each parameter and each metric's last
 * value, then `status`, `error`, `seconds`, `start` and `host`. A value that a point lacks, for instance a metric of a failed one, is missing.
 *
 * @throws Error when the folder has no results of a sweep
 */
export async function sweep(folder: string): Promise<Columns> {
  return readTable(folder, "results.parquet");
}

/**
 * All values that the points of a sweep reported by `metric`: columns `point`, `metric`, `step` and `value`, in the order of the points. `step` is missing
 * where the notebook gave none.
 *
 * @throws Error when the folder has no results of a sweep
 */
export async function sweepCurves(folder: string): Promise<Columns> {
  return readTable(folder, "curves.parquet");
}

async function readTable(folder: string, name: string): Promise<Columns> {
  const place = path.join(folder, name);
  if (!existsSync(place))
    throw new Error(
      `${folder} has no results of a sweep (${name}); \`halftone sweep NOTEBOOK -o ${folder}\` writes them`,
    );
  const { file, metadata } = await openParquet(place);
  const rows: DataRecord[] = metadata.num_rows === 0n ? [] : await parquetReadObjects({ file, metadata });
  const columns = metadata.schema.slice(1).map(({ name: column, type, converted_type: converted }) => {
    const values = rows.map((row) => row[column]);
    const missing = values.filter((value) => value === null || value === undefined).length;
    return [column, { column: typed(values, type, converted), missing, note: undefined }] as const;
  });
  return columnsOf(`${path.basename(path.resolve(folder))}/${name}`, new Map(columns), rows.length);
}

function typed(values: unknown[], type: string | undefined, converted: string | undefined): Column {
  const present = values.map((value) => value ?? null);
  if (type === "DOUBLE")
    return {
      type: "number",
      values: Float64Array.from(present, (value) => (value === null ? Number.NaN : Number(value))),
    };
  if (type === "BOOLEAN") return { type: "boolean", values: present as (boolean | null)[] };
  if (converted === "TIMESTAMP_MILLIS") return { type: "date", values: present as (Date | null)[] };
  return { type: "string", values: present as (string | null)[] };
}
