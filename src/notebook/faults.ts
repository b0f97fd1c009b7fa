import type { BaseIssue } from "valibot";

/** Describes in one sentence why `value` is not a notebook. */
export function faultOf(value: unknown, issue: BaseIssue<unknown>): string {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `Expected an object with cells, got ${describe(value)}.`;
  const steps = (issue.path ?? []).map(({ key }) => key as PropertyKey);
  const found = steps.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], value);
  const where = steps.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  const field = where.replace(/^\./, "");
  if (found === undefined && field === "nbformat") return "The nbformat field is missing.";
  return found === undefined
    ? `${field} is missing.`
    : `${field} should be ${expectedType(issue)}, but is ${describe(found)}.`;
}

const TYPES: Record<string, string> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  min_value: "0 or more",
  boolean: "true or false",
  array: "a list",
  custom: "an object",
  loose_object: "an object",
  union: "text or a list of lines",
};
const KINDS: Record<string, string> = {
  cell_type: '"code", "markdown" or "raw"',
  output_type: '"stream", "display_data", "execute_result" or "error"',
};

function expectedType({ type, expected, path }: BaseIssue<unknown>): string {
  if (type === "variant") return KINDS[String(path?.at(-1)?.key)] ?? "an object";
  // valibot writes a choice as `("stdout" | "stderr")`.
  return TYPES[type] ?? expected?.replace(/^\((.*)\)$/, "$1").replaceAll(" | ", " or ") ?? "as nbformat 4.5 specifies";
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
