import { defineSummary, formatCount } from "../../display/define-summary.ts";
import { type Displayable, displaySymbol, html, table } from "../../display/index.ts";
import type { Column, ColumnType, ColumnValues } from "./column-types.ts";

/** A table by columns, each of one type. `fromFrame`, `recordsOf`, `table` and `plotFrame` take it as they take a danfojs DataFrame. */
export interface Columns extends Displayable {
  /** Column names, in the file's order. */
  readonly columns: string[];
  readonly types: Readonly<Record<string, ColumnType>>;
  /** The number of rows. */
  readonly length: number;
  /** The numbers of the rows, from 0. */
  readonly index: number[];
  /** The rows as arrays, for `new DataFrame(values, { columns })` of danfojs. */
  readonly values: unknown[][];
  /** How many values of each column are missing. */
  readonly missing: Readonly<Record<string, number>>;
  /** Columns that stayed strings although most of their values have another type, with the first value and line to look at. */
  readonly notes: readonly string[];
  /** @throws TypeError when the column does not have numbers; RangeError when there is no such column */
  numbers(name: string): ColumnValues["number"];
  /** @throws TypeError when the column does not have booleans; RangeError when there is no such column */
  booleans(name: string): ColumnValues["boolean"];
  /** @throws TypeError when the column does not have dates; RangeError when there is no such column */
  dates(name: string): ColumnValues["date"];
  /** @throws TypeError when the column does not have strings; RangeError when there is no such column */
  strings(name: string): ColumnValues["string"];
  /** Some of the columns: `fromFrame(data.select("age", "height"))`. @throws RangeError when there is no such column */
  select(...names: string[]): Columns;
}

/** A column, what is missing in it, and why it has not the type of most of its values. */
export interface NotedColumn {
  column: Column;
  missing: number;
  note: string | undefined;
}

/** Rows that a cell shows. */
const SHOWN = 10;

/** The columns of `source` as a table. */
export function columnsOf(source: string, given: ReadonlyMap<string, NotedColumn>, length: number): Columns {
  const names = [...given.keys()];
  const record = <T>(of: (column: NotedColumn) => T) =>
    Object.fromEntries([...given].map(([name, column]) => [name, of(column)]));
  const find = (name: string): Column => {
    const found = given.get(name);
    if (!found) throw new RangeError(`${source} has no column ${name}; it has ${names.join(", ")}`);
    return found.column;
  };
  const reader =
    <T extends ColumnType>(type: T) =>
    (name: string): ColumnValues[T] => {
      const column = find(name);
      if (column.type !== type) {
        const note = given.get(name)!.note;
        throw new TypeError(
          `column ${name} of ${source} has type ${column.type}, not ${type}${note === undefined ? "" : `: ${note}`}`,
        );
      }
      return column.values as ColumnValues[T];
    };
  const row = (at: number) => names.map((name) => given.get(name)!.column.values[at]);
  let rows: unknown[][] | undefined;
  const columns: Columns = {
    columns: names,
    types: record(({ column }) => column.type),
    length,
    get index() {
      return Array.from({ length }, (_, at) => at);
    },
    get values() {
      rows ??= Array.from({ length }, (_, at) => row(at));
      return rows;
    },
    missing: record(({ missing }) => missing),
    notes: [...given].flatMap(([name, { note }]) => (note === undefined ? [] : [`column ${name}: ${note}`])),
    numbers: reader("number"),
    booleans: reader("boolean"),
    dates: reader("date"),
    strings: reader("string"),
    select(...wanted) {
      for (const name of wanted) find(name);
      return columnsOf(source, new Map(wanted.map((name) => [name, given.get(name)!])), length);
    },
    [displaySymbol]: () => shown(source, columns, row),
  };
  return defineSummary(columns, () => summary(source, columns));
}

function summary(source: string, { length, types, missing, notes }: Columns): string {
  const columns = Object.entries(types).map(([name, type]) => {
    const lacking = missing[name]! > 0 ? `, ${formatCount(missing[name]!)} missing` : "";
    return `  ${name}: ${type}${lacking}`;
  });
  const size = `${source}: ${formatCount(length)} rows, ${columns.length} columns`;
  return [size, ...columns, ...notes.map((note) => `Note: ${note}`)].join("\n");
}

function shown(source: string, data: Columns, row: (at: number) => unknown[]): Record<string, unknown> {
  const { columns, types, length, notes } = data;
  const count = Math.min(length, SHOWN);
  const first = {
    columns: columns.map((name) => `${name} (${types[name]})`),
    values: Array.from({ length: count }, (_, at) => row(at).map(cellOf)),
    index: data.index.slice(0, count),
  };
  const size = `${formatCount(length)} rows, ${columns.length} columns`;
  const part = length > count ? `, the first ${count} rows` : "";
  const head = table(first, { caption: `${source}: ${size}${part}` })[displaySymbol]() as Record<string, string>;
  const rest = html`${notes.map((note) => html`<p>Note: ${note}</p>`)}`.html;
  return { "text/html": `${head["text/html"]}${rest}`, "text/plain": summary(source, data) };
}

/** A value as a cell shows it: a day without its time where it is midnight. */
function cellOf(value: unknown): unknown {
  if (Number.isNaN(value)) return null;
  return value instanceof Date ? value.toISOString().replace("T00:00:00.000Z", "").replace(".000Z", "Z") : value;
}
