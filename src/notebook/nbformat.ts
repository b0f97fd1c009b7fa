import { randomUUID } from "node:crypto";
import * as v from "valibot";
import { wellFormed } from "../../kernel/protocol/well-formed.ts";
import { writeWhole } from "../base/files.ts";
import { jsonObject } from "../base/json-schema.ts";
import { UserError } from "../base/user-error.ts";
import { faultOf } from "./faults.ts";
import { brokenJson } from "./json-place.ts";
import { readTextFile } from "./read-text.ts";

/** Reads notebooks of nbformat 4.0 to 4.5 and writes 4.5, byte for byte like Jupyter's own writer. */

const text = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((lines) => (Array.isArray(lines) ? lines.join("") : lines)),
);
const bundle = v.pipe(
  jsonObject,
  v.transform((data) =>
    Object.fromEntries(Object.entries(data).map(([type, value]) => [type, joinLines(type, value)])),
  ),
);
const metadata = v.optional(jsonObject, {});
const executionCount = v.optional(v.nullable(v.number()), null);

const output = v.variant("output_type", [
  v.looseObject({ output_type: v.literal("stream"), name: v.picklist(["stdout", "stderr"]), text }),
  v.looseObject({ output_type: v.literal("display_data"), data: bundle, metadata }),
  v.looseObject({
    output_type: v.literal("execute_result"),
    data: bundle,
    metadata,
    execution_count: executionCount,
  }),
  v.looseObject({
    output_type: v.literal("error"),
    ename: v.string(),
    evalue: v.string(),
    traceback: v.array(v.string()),
  }),
]);

const shared = { id: v.optional(v.string()), metadata, source: text };
const attachments = v.optional(v.pipe(jsonObject, v.record(v.string(), bundle)));
const cell = v.variant("cell_type", [
  v.looseObject({
    cell_type: v.literal("code"),
    ...shared,
    execution_count: executionCount,
    outputs: v.optional(v.array(output), []),
  }),
  v.looseObject({ cell_type: v.literal("markdown"), ...shared, attachments }),
  v.looseObject({ cell_type: v.literal("raw"), ...shared, attachments }),
]);

const notebook = v.looseObject({
  nbformat: v.literal(4),
  nbformat_minor: v.pipe(v.number(), v.integer(), v.minValue(0)),
  metadata,
  cells: v.array(cell),
});

export type NotebookOutput = v.InferOutput<typeof output>;
export type Cell = v.InferOutput<typeof cell> & { id: string };
export type CodeCell = Extract<Cell, { cell_type: "code" }>;
/** A notebook in memory: text is joined, every cell has an id, and unknown fields are kept unchanged. */
export interface Notebook {
  nbformat: 4;
  nbformat_minor: number;
  metadata: Record<string, unknown>;
  cells: Cell[];
  [field: string]: unknown;
}

export function readNotebook(file: string): Notebook {
  if (!file.endsWith(".ipynb")) throw new UserError(`${file} is not a notebook: its name must end in .ipynb.`);
  return parseNotebook(readTextFile(file, { wanted: "a notebook" }), file);
}

/** @param name what to call the notebook in messages */
export function parseNotebook(json: string, name: string): Notebook {
  const value = parseJson(json, name);
  const major = (value as { nbformat?: unknown } | null)?.nbformat;
  if (typeof major === "number" && major < 4) {
    throw new UserError(
      `${name} is in the old nbformat ${major}; halftone reads 4.0 to 4.5. Convert it: jupyter nbconvert --to notebook --inplace "${name}"`,
    );
  }
  if (typeof major === "number" && major > 4) {
    throw new UserError(`${name} is in nbformat ${major}, newer than 4.5, the newest version that halftone reads.`);
  }
  const parsed = v.safeParse(notebook, value);
  if (!parsed.success) throw new UserError(`${name} is not a notebook. ${faultOf(value, parsed.issues[0])}`);
  const usedIds = new Set<string>();
  return {
    ...parsed.output,
    nbformat_minor: Math.max(5, parsed.output.nbformat_minor),
    cells: parsed.output.cells.map((each) => ({ ...each, id: freeId(each.id, usedIds) })),
  };
}

export function writeNotebook(file: string, content: Notebook): void {
  writeWhole(file, formatNotebook(content));
}

/** Formats like `nbformat.write`: sorted keys, one space per level, texts as lists of lines, a newline at the end. */
export function formatNotebook(content: Notebook): string {
  const { orig_nbformat: _, orig_nbformat_minor: __, signature: ___, ...kept } = content.metadata;
  return `${wellFormed(stringify({ ...content, metadata: kept, cells: content.cells.map(onDisk) }, ""))}\n`;
}

/** An id for a new cell, in Jupyter's form. */
export function newCellId(): string {
  return randomUUID().slice(0, 8);
}

export const isJsonType = (type: string) => type === "application/json" || /^application\/.*\+json$/.test(type);

function freeId(id: string | undefined, usedIds: Set<string>): string {
  let free = id !== undefined && /^[a-zA-Z0-9-_]{1,64}$/.test(id) && !usedIds.has(id) ? id : newCellId();
  while (usedIds.has(free)) free = newCellId();
  usedIds.add(free);
  return free;
}

function parseJson(json: string, name: string): unknown {
  const text = json.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(text);
  } catch {
    if (text.trim() === "") throw new UserError(`${name} is empty, not a notebook.`);
    throw new UserError(`${name} ${brokenJson(text)}`);
  }
}

function joinLines(type: string, value: unknown): unknown {
  return !isJsonType(type) && Array.isArray(value) ? value.join("") : value;
}

function onDisk({ ...each }: Cell): unknown {
  const { trusted: _, ...kept } = each.metadata;
  const fields: Record<string, unknown> = { ...each, metadata: kept, source: splitLines(each.source) };
  if (each.cell_type === "code") {
    fields.outputs = each.outputs.map((out) => {
      if (out.output_type === "stream") return { ...out, text: splitLines(out.text) };
      return "data" in out ? { ...out, data: splitBundle(out.data as Record<string, unknown>) } : out;
    });
  } else if (each.attachments) {
    fields.attachments = Object.fromEntries(
      Object.entries(each.attachments).map(([name, data]) => [name, splitBundle(data)]),
    );
  } else delete fields.attachments;
  return fields;
}

const isSplit = (type: string) =>
  type.startsWith("text/") || type === "image/svg+xml" || type === "application/javascript";

function splitBundle(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([type, value]) => [
      type,
      typeof value === "string" && isSplit(type) ? splitLines(value) : value,
    ]),
  );
}

const BREAKS = "\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029";
const LINES = new RegExp(`[^${BREAKS}]*(?:\\r\\n|[${BREAKS}])|[^${BREAKS}]+$`, "g");

/** Python's `str.splitlines(True)`, which breaks at more characters than a newline. */
function splitLines(value: string): string[] {
  return value.match(LINES) ?? [];
}

/** Used because JSON.stringify puts keys that look like integers first, and cannot sort. */
function stringify(value: unknown, indent: string): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const deeper = `${indent} `;
  const parts = Array.isArray(value)
    ? value.map((item) => stringify(item, deeper))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => `${JSON.stringify(key)}: ${stringify(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return parts.length === 0 ? open + close : `${open}\n${deeper}${parts.join(`,\n${deeper}`)}\n${indent}${close}`;
}
