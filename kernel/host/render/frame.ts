import { escapeHtml } from "../../../src/display/html.ts";
import type { MimeBundle } from "../../protocol/output.ts";
import { isArray } from "../primordials.ts";

/** The members of danfojs' DataFrame and Series that display needs. */
interface FrameLike {
  values: unknown[] | unknown[][];
  columns: string[];
  index: (string | number)[];
  shape: number[];
  toString(): string;
}

const mostRows = 20;
const mostColumns = 30;

/** Renders a danfojs frame or series as an HTML table with the first and last rows, and as danfojs' text table. */
export function dataFrame(value: object): MimeBundle | undefined {
  if (!isFrame(value)) return undefined;
  return { "text/html": htmlTable(value), "text/plain": value.toString().trim() };
}

/** Whether a value is a frame or a series of danfojs. */
export function isFrame(value: object): value is FrameLike {
  const { name } = value.constructor ?? {};
  if (name !== "DataFrame" && name !== "Series") return false;
  const { columns, index, shape } = value as Partial<FrameLike>;
  return "$data" in value && isArray(columns) && isArray(index) && isArray(shape);
}

function htmlTable(frame: FrameLike): string {
  const rows = frame.values.map((row) => (isArray(row) ? row : [row]) as unknown[]);
  const columns = frame.columns.slice(0, mostColumns);
  const head = columns.map((name) => `<th>${escapeHtml(name)}</th>`).join("");
  const cut = rows.length > mostRows;
  const visibleRows = cut
    ? [...range(0, mostRows / 2), ...range(rows.length - mostRows / 2, rows.length)]
    : range(0, rows.length);
  const body = visibleRows.map((at, place) => {
    const cells = columns.map((_, column) => `<td>${escapeHtml(format(rows[at]![column]))}</td>`).join("");
    const gap = cut && place === mostRows / 2 ? `<tr><th>...</th>${"<td>...</td>".repeat(columns.length)}</tr>` : "";
    return `${gap}<tr><th>${escapeHtml(String(frame.index[at]))}</th>${cells}</tr>`;
  });
  const size = `${rows.length.toLocaleString("en-US")} rows, ${frame.columns.length} columns`;
  return `<table><thead><tr><th></th>${head}</tr></thead><tbody>${body.join("")}</tbody></table><p>${size}</p>`;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function format(value: unknown): string {
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return value === null || value === undefined ? "" : String(value);
}
