import { inspect } from "node:util";
import { type Html, html } from "./html.ts";
import { type Displayable, displaySymbol } from "./mime.ts";
import { isNumberColumn, isNumberText } from "./number-text.ts";

type Row = Record<string, unknown>;

/** The part of a danfojs DataFrame or Series that is shown. */
interface Frame {
  columns: string[];
  values: unknown[];
  index: (string | number)[];
}

/** Options of `table`. */
export interface TableOptions {
  /** Columns to show, in order; all by default. */
  columns?: readonly string[];
  /** No caption by default. */
  caption?: string;
  /** Most rows to show, below which the number of further rows stands; 50 by default. */
  limit?: number;
}

const style = {
  table: "border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0.5em 0",
  cell: "padding:0.25em 0.75em;border-bottom:1px solid rgba(128,128,128,0.35);",
  caption: "text-align:left;padding:0.25em 0;font-weight:600",
};

/**
 * A table of rows or of a danfojs DataFrame or Series: HTML in a notebook, aligned text elsewhere.
 *
 * @throws TypeError for any other value, and for a row that is no object
 */
export function table(data: readonly Row[] | object, { columns, caption, limit = 50 }: TableOptions = {}): Displayable {
  const { rows, names } = rowsOf(data);
  const shown = columns ?? names;
  const cells = rows.slice(0, limit).map((row) => shown.map((name) => cellText(row[name])));
  const left = shown.map((_, i) => !isNumberColumn(cells.map((row) => row[i]!)) && cells.some((row) => row[i] !== ""));
  const more = rows.length > limit ? `${rows.length - limit} more rows` : "";
  return {
    [displaySymbol]: () => ({
      "text/html": htmlTable(shown, cells, left, caption, more).html,
      "text/plain": textTable(shown, cells, left, caption, more),
    }),
  };
}

function htmlTable(names: readonly string[], cells: string[][], left: boolean[], caption = "", more = ""): Html {
  const align = (i: number, cell = "") =>
    `${style.cell}text-align:${left[i] ? "left" : "right"}${isNumberText(cell) ? ";white-space:nowrap" : ""}`;
  return html`<table style="${style.table}">${caption && html`<caption style="${style.caption}">${caption}</caption>`}<thead><tr>${names.map((name, i) => html`<th style="${align(i)}">${name}</th>`)}</tr></thead><tbody>${cells.map((row) => html`<tr>${row.map((cell, i) => html`<td style="${align(i, cell)}">${unbroken(cell)}</td>`)}</tr>`)}</tbody></table>${more && html`<p>${more}</p>`}`;
}

/** Keeps `x 1.17`, `0.84 ± 0.17` and `45.5 MiB` on one line, however narrow the column is. */
function unbroken(cell: string): string {
  return cell.length <= 16 && /\d/.test(cell) ? cell.replaceAll(" ", "\u00a0") : cell;
}

function textTable(names: readonly string[], cells: string[][], left: boolean[], caption = "", more = ""): string {
  const widths = names.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (left[i] ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [caption, line(names), rule, ...cells.map(line), more].filter(Boolean).join("\n");
}

/** Whether a value is a danfojs DataFrame or Series. */
export function isFrame(value: unknown): value is Frame {
  const { columns, values, index } = (value ?? {}) as Partial<Frame>;
  return Array.isArray(columns) && Array.isArray(values) && Array.isArray(index);
}

function rowsOf(data: readonly Row[] | object): { rows: Row[]; names: string[] } {
  if (Array.isArray(data)) {
    const names = new Set<string>();
    for (const [i, row] of data.entries()) {
      if (typeof row !== "object" || row === null)
        throw new TypeError(`table: expected rows { column: value }, got ${inspect(row, { depth: 0 })} at ${i}`);
      for (const name of Object.keys(row)) names.add(name);
    }
    return { rows: data as Row[], names: [...names] };
  }
  if (!isFrame(data)) throw new TypeError("table: expected an array of rows or a danfojs DataFrame or Series");
  const { columns, values, index } = data;
  const rows = values.map((value, i) => {
    const cells = Array.isArray(value) ? value : [value];
    return Object.fromEntries([["", index[i]], ...columns.map((name, c) => [name, cells[c]])]) as Row;
  });
  return { rows, names: ["", ...columns.map(String)] };
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? value.toFixed(size < 1 ? 4 : size < 100 ? 3 : 1) : value.toExponential(3);
}
