import type { Data, Layout } from "plotly.js";
import { type Figure, figure } from "./figure.ts";

/** The part of a danfojs DataFrame or Series, or of `readColumns`' result, that is plotted. */
export interface PlottedFrame {
  readonly columns: readonly string[];
  /** Rows, or the values of a Series. */
  readonly values: unknown;
  /** The names of the rows; their numbers by default. */
  readonly index?: readonly (string | number)[];
}

/** What is drawn of each column. */
export type PlotKind = "line" | "scatter" | "bar" | "barh" | "area" | "hist" | "box" | "violin" | "pie";

/** Options of `plotFrame`. */
export interface PlotFrameOptions {
  /** `"line"` by default. */
  kind?: PlotKind;
  /** The column of the horizontal axis (of a pie's labels, or the groups of a box plot); the index by default. */
  x?: string;
  /** The columns to draw; by default all with numbers. */
  y?: string | readonly string[];
  title?: string;
  layout?: Partial<Layout>;
}

/**
 * A plotly figure of the columns of a danfojs DataFrame or Series, of `readColumns`' result or of an array of records, as pandas'
 * `df.plot(x=..., y=..., kind=...)`. Missing values are gaps.
 *
 * @throws RangeError for a column that the frame does not have; TypeError for one to draw that has no numbers, or another value
 */
export function plotFrame(
  frame: PlottedFrame | readonly Readonly<Record<string, unknown>>[],
  options: PlotFrameOptions = {},
): Figure {
  const { kind = "line", x, title, layout = {} } = options;
  const table = tableOf(frame);
  const names = drawnColumns(table, options);
  const across = x === undefined ? table.index : table.column(x);
  const draw = (name: string) => trace(kind, name, across, table.column(name).map(numberOf), x !== undefined);
  const [only] = names;
  if (kind === "pie" && names.length !== 1) {
    throw new TypeError(`plotFrame: a pie needs one column, got y of ${names.join(", ")}`);
  }
  const value = names.length === 1 ? only! : "";
  const label = x ?? "";
  const [xTitle, yTitle] = kind === "barh" ? [value, label] : kind === "hist" ? [value, "count"] : [label, value];
  return figure({
    data: names.map(draw),
    layout: {
      hovermode: kind === "line" || kind === "area" ? "x unified" : "closest",
      showlegend: kind === "pie" || names.length > 1,
      ...(kind === "hist" && names.length > 1 ? { barmode: "overlay" } : {}),
      ...(title === undefined ? {} : { title: { text: title } }),
      xaxis: { title: { text: xTitle } },
      yaxis: { title: { text: yTitle } },
      ...layout,
    },
  });
}

interface PlottedTable {
  columns: readonly string[];
  index: unknown[];
  /** @throws RangeError when there is no such column */
  column(name: string): unknown[];
}

function tableOf(frame: PlottedFrame | readonly Readonly<Record<string, unknown>>[]): PlottedTable {
  if (Array.isArray(frame)) {
    const records = frame as readonly Readonly<Record<string, unknown>>[];
    const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
    return tableBy(columns, [...records.keys()], (name) => records.map((record) => record[name]));
  }
  const { columns, values, index } = frame as Partial<PlottedFrame>;
  if (!Array.isArray(columns) || !Array.isArray(values)) {
    throw new TypeError(
      "plotFrame: expected a danfojs DataFrame or Series, columns of readColumns, or an array of records",
    );
  }
  const rows = values as unknown[];
  return tableBy(columns.map(String), index ? [...index] : [...rows.keys()], (_, c) =>
    rows.map((row) => (Array.isArray(row) ? row[c] : row)),
  );
}

function tableBy(
  columns: readonly string[],
  index: unknown[],
  read: (name: string, position: number) => unknown[],
): PlottedTable {
  const column = (name: string) => {
    const position = columns.indexOf(name);
    if (position < 0) throw new RangeError(`plotFrame: there is no column ${name}; there are ${columns.join(", ")}`);
    return read(name, position).map(plain);
  };
  return { columns, index: index.map(plain), column };
}

/** A date as text that plotly reads as a date: `2024-01-31`, or `2024-01-31 08:30:00.000` in UTC. */
function plain(value: unknown): unknown {
  if (!(value instanceof Date)) return value;
  return Number.isNaN(value.getTime())
    ? null
    : value
        .toISOString()
        .replace("T", " ")
        .replace(/ 00:00:00\.000Z$|Z$/, "");
}

function drawnColumns(table: PlottedTable, { x, y }: PlotFrameOptions): string[] {
  if (y !== undefined) {
    const wanted = typeof y === "string" ? [y] : [...y];
    for (const name of wanted) {
      const wrong = table.column(name).find((value) => !isNumeric(value));
      if (wrong === undefined) continue;
      throw new TypeError(`plotFrame: column ${name} must have numbers to be drawn, got ${JSON.stringify(wrong)}`);
    }
    return wanted;
  }
  const numeric = table.columns.filter((name) => name !== x && table.column(name).every(isNumeric));
  if (numeric.length === 0) {
    throw new TypeError(`plotFrame: no column of ${table.columns.join(", ")} has numbers to be drawn`);
  }
  return numeric;
}

function isNumeric(value: unknown): boolean {
  return value === null || value === undefined || ["number", "boolean", "bigint"].includes(typeof value);
}

/** A number for plotly; null, which is a gap, where it is missing. */
function numberOf(value: unknown): number | null {
  const number = value === null || value === undefined ? Number.NaN : Number(value);
  return Number.isNaN(number) ? null : number;
}

/** The trace of one column. `hasGroups`: the horizontal axis is a column, not the index. */
function trace(kind: PlotKind, name: string, x: unknown[], y: (number | null)[], hasGroups: boolean): Data {
  switch (kind) {
    case "line":
      return { type: "scatter", mode: "lines", name, x, y } as Data;
    case "scatter":
      return { type: "scatter", mode: "markers", name, x, y } as Data;
    case "area":
      return { type: "scatter", mode: "lines", stackgroup: "all", name, x, y } as Data;
    case "bar":
      return { type: "bar", name, x, y } as Data;
    case "barh":
      return { type: "bar", orientation: "h", name, x: y, y: x } as Data;
    case "hist":
      return { type: "histogram", name, x: y, opacity: 0.75 } as Data;
    case "box":
    case "violin":
      return { type: kind, name, y, ...(hasGroups ? { x } : {}) } as Data;
    case "pie":
      return { type: "pie", name, labels: x, values: y } as Data;
    default:
      throw new TypeError(
        `plotFrame: kind must be "line", "scatter", "bar", "barh", "area", "hist", "box", "violin" or "pie", got ${JSON.stringify(kind)}`,
      );
  }
}
