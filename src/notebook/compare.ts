import { sameImage } from "./image-data.ts";
import type { NotebookOutput } from "./nbformat.ts";
import { isJsonType } from "./nbformat.ts";

/** The first difference between two runs' outputs of one cell: a description and, for text, both lines. */
export interface Difference {
  what: string;
  before?: string;
  after?: string;
}

export interface Comparison {
  /** The allowed difference of two numbers, relative to the larger one; in a figure's array, relative to its largest value. 0: exact equality. */
  tolerance: number;
  /** Compare only the kinds of output, because the cell shows times or memory. */
  kindsOnly?: boolean;
}

/** Returns the first difference; undefined if there is none. Execution counts, times and tracebacks are not compared. */
export function compareOutputs(
  before: NotebookOutput[],
  after: NotebookOutput[],
  { tolerance, kindsOnly }: Comparison,
): Difference | undefined {
  const [was, is] = [before.map(kindOf), after.map(kindOf)];
  if (was.join() !== is.join())
    return { what: "different outputs", before: was.join(", ") || "none", after: is.join(", ") || "none" };
  if (kindsOnly) return undefined;
  for (const [at, output] of before.entries()) {
    const found = compareOutput(output, after[at]!, tolerance);
    if (found) return found;
  }
  return undefined;
}

function kindOf(output: NotebookOutput): string {
  if (output.output_type === "stream") return output.name;
  if (output.output_type === "error") return `an error (${output.ename})`;
  return Object.keys(output.data as object)
    .sort()
    .join("+");
}

function compareOutput(before: NotebookOutput, after: NotebookOutput, tolerance: number): Difference | undefined {
  if (before.output_type === "stream" && after.output_type === "stream")
    return compareText(before.name, before.text, after.text, tolerance);
  if (before.output_type === "error" && after.output_type === "error")
    return compareText("the error", before.evalue, after.evalue, tolerance);
  const [was, is] = [before, after].map((output) => ("data" in output ? output.data : {}) as Record<string, unknown>);
  // JSON first, because a figure's data locates the difference more exactly than its text summary.
  const types = Object.keys(was!).sort((a, b) => Number(isJsonType(b)) - Number(isJsonType(a)));
  for (const type of types) {
    const found = compareData(type, was![type], is![type], tolerance);
    if (found) return found;
  }
  return undefined;
}

function compareData(type: string, before: unknown, after: unknown, tolerance: number): Difference | undefined {
  if (typeof before !== "string" || typeof after !== "string") return compareValues(type, before, after, tolerance);
  if (type.startsWith("image/") && type !== "image/svg+xml")
    return sameImage(type, before, after, tolerance) ? undefined : { what: `${type}: different pixels` };
  return compareText(type, before, after, tolerance);
}

const NUMBER = /[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?/gi;

function compareText(what: string, before: string, after: string, tolerance: number): Difference | undefined {
  if (before === after || (tolerance > 0 && near(before, after, tolerance))) return undefined;
  const [was, is] = [before.split("\n"), after.split("\n")];
  const at = was.findIndex(
    (line, index) => line !== is[index] && !(tolerance > 0 && near(line, is[index] ?? "", tolerance)),
  );
  const line = at < 0 ? was.length : at;
  const place = around(was[line] ?? "", is[line] ?? "");
  return { what: `${what}, line ${line + 1}`, before: place(was[line] ?? ""), after: place(is[line] ?? "") };
}

/** Returns a function that cuts a long line to the part around the first character that differs. */
function around(before: string, after: string): (line: string) => string {
  let first = 0;
  while (first < before.length && before[first] === after[first]) first++;
  const from = Math.max(before.length, after.length) < 120 ? 0 : Math.max(0, first - 40);
  return (line) => `${from > 0 ? "…" : ""}${line.slice(from, from + 119)}${line.length > from + 119 ? "…" : ""}`;
}

/** Whether two texts differ only in numbers, and each number only within the tolerance. */
function near(before: string, after: string, tolerance: number): boolean {
  // Spaces and rules are normalized, because a number with more digits moves the columns of a table.
  const words = (text: string) => text.replaceAll(NUMBER, "#").replaceAll(/[ \t]+|[-─]{2,}/g, " ");
  if (words(before) !== words(after)) return false;
  const [was, is] = [before, after].map((text) => text.match(NUMBER)?.map((each) => Number(each.replaceAll(",", ""))));
  return (was ?? []).every((value, at) =>
    close(value, is![at]!, Math.max(Math.abs(value), Math.abs(is![at]!)), tolerance),
  );
}

function close(a: number, b: number, scale: number, tolerance: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * scale;
}

function compareValues(what: string, before: unknown, after: unknown, tolerance: number): Difference | undefined {
  const [was, is] = [decoded(before), decoded(after)];
  if (Array.isArray(was) && Array.isArray(is)) return compareArrays(what, was, is, tolerance);
  if (isObject(was) && isObject(is)) {
    for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
      if (key === "uid" || key === "model_id") continue; // plotly gives every trace a new uid, and a widget's id is random.
      const found = compareValues(
        `${what}${/^\w+$/.test(key) ? `.${key}` : `["${key}"]`}`,
        was[key],
        is[key],
        tolerance,
      );
      if (found) return found;
    }
    return undefined;
  }
  if (typeof was === "string" && typeof is === "string") return compareText(what, was, is, tolerance);
  const same =
    typeof was === "number" && typeof is === "number"
      ? close(was, is, Math.max(Math.abs(was), Math.abs(is)), tolerance)
      : was === is;
  return same ? undefined : { what, before: short(was), after: short(is) };
}

function compareArrays(what: string, was: unknown[], is: unknown[], tolerance: number): Difference | undefined {
  if (was.length !== is.length)
    return { what: `${what}: different length`, before: `${was.length}`, after: `${is.length}` };
  const numbers = was.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  const scale = numbers.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  for (const [at, value] of was.entries()) {
    const other = is[at];
    if (typeof value === "number" && typeof other === "number" && close(value, other, scale, tolerance)) continue;
    const found = compareValues(`${what}[${at}]`, value, other, tolerance);
    if (found) return found;
  }
  return undefined;
}

const TYPED = {
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array,
};

/** Plotly may store an array of numbers as its bytes in base64. */
function decoded(value: unknown): unknown {
  const { dtype, bdata } = (isObject(value) ? value : {}) as { dtype?: unknown; bdata?: unknown };
  if (typeof bdata !== "string" || typeof dtype !== "string" || !(dtype in TYPED)) return value;
  const bytes = new Uint8Array(Buffer.from(bdata, "base64"));
  return Array.from(new TYPED[dtype as keyof typeof TYPED](bytes.buffer));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
