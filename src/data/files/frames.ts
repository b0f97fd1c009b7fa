import type { DataRecord } from "./record.ts";

/** The part of a danfojs DataFrame that `recordsOf` reads. */
export interface DataFrameLike {
  columns: readonly string[];
  values: unknown;
}

/** The part of an Apache Arrow table that `recordsOf` reads. */
export interface ArrowTableLike {
  numRows: number;
  schema: { fields: readonly { name: string }[] };
  getChild(name: string): { get(index: number): unknown } | null;
}

/**
 * The rows of a danfojs DataFrame or an Apache Arrow table as records.
 *
 * @throws TypeError for any other value
 */
export function* recordsOf(table: DataFrameLike | ArrowTableLike): Generator<DataRecord> {
  if ("getChild" in table) {
    const columns = table.schema.fields.map(({ name }) => [name, table.getChild(name)!] as const);
    for (let row = 0; row < table.numRows; row++) {
      yield Object.fromEntries(columns.map(([name, column]) => [name, column.get(row)]));
    }
    return;
  }
  if (!Array.isArray(table.columns) || !Array.isArray(table.values)) {
    throw new TypeError("recordsOf: expected a danfojs DataFrame or an Arrow table");
  }
  for (const row of table.values as unknown[][]) {
    yield Object.fromEntries(table.columns.map((name, i) => [name, row[i]]));
  }
}
