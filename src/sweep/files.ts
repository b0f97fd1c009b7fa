import { parquetWriteBuffer } from "hyparquet-writer";
import { writeWhole } from "../base/files.ts";
import type { PointRecord } from "./record.ts";
import type { Store } from "./store.ts";
import { type ResultColumn, resultColumns, type Value } from "./table.ts";

/** Writes results.csv, results.parquet and curves.parquet. @throws UserError if the folder cannot be written */
export function writeTables(store: Store, records: readonly PointRecord[]): void {
  const columns = resultColumns(records);
  writeWhole(store.file("results.csv"), csvOf(columns));
  writeWhole(store.file("results.parquet"), parquetOf(columns));
  writeWhole(store.file("curves.parquet"), parquetOf(curveColumns(records)));
}

/** CSV of RFC 4180, which pandas and `readColumns` read back with the same types. */
function csvOf(columns: readonly ResultColumn[]): string {
  const rows = columns[0]!.values.map((_, row) => columns.map(({ values }) => csvCell(values[row]!)));
  return [columns.map(({ name }) => csvCell(name)), ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

function csvCell(value: Value): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value).replace("Infinity", "inf");
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Every value of every metric, in long form: point, metric, step, value. */
function curveColumns(records: readonly PointRecord[]): Pick<ResultColumn, "name" | "values">[] {
  const rows = records.flatMap(({ id, metrics }) =>
    metrics.flatMap(({ name, values, steps }) =>
      values.map((value, at) => [id, name, steps[at] ?? null, value] as const),
    ),
  );
  return ["point", "metric", "step", "value"].map((name, at) => ({ name, values: rows.map((row) => row[at]!) }));
}

function parquetOf(columns: readonly Pick<ResultColumn, "name" | "values">[]): Uint8Array {
  const columnData = columns.map(({ name, values }) => {
    const type = typeOf(name, values);
    const data = type === "STRING" ? values.map((value) => (value === null ? null : String(value))) : values;
    return {
      name,
      type,
      data: type === "TIMESTAMP" ? data.map((value) => value && new Date(String(value))) : data,
      nullable: true,
    };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** A column without values has numbers, as in pandas. */
function typeOf(name: string, values: readonly Value[]): "DOUBLE" | "BOOLEAN" | "STRING" | "TIMESTAMP" {
  const types = new Set(values.filter((value) => value !== null).map((value) => typeof value));
  if (name === "start") return "TIMESTAMP";
  if (name === "point" || name === "metric" || name === "error" || types.size > 1) return "STRING";
  return types.has("string") ? "STRING" : types.has("boolean") ? "BOOLEAN" : "DOUBLE";
}
