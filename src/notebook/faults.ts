import type { BaseIssue } from "valibot";

/** The reason why `value` is not a notebook, as a sentence. */
export function faultOf(value: unknown, issue: BaseIssue<unknown>): string {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `It holds ${shown(value)} where a notebook has an object with cells.`;
  const steps = (issue.path ?? []).map(({ key }) => key as PropertyKey);
  const found = steps.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], value);
  const where = steps.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  const field = where.replace(/^\./, "");
  if (found === undefined && field === "nbformat") return "It has no nbformat field, which every notebook has.";
  return found === undefined ? `${field} is missing.` : `${field} should be ${wanted(issue)}, but is ${shown(found)}.`;
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

function wanted({ type, expected, path }: BaseIssue<unknown>): string {
  if (type === "variant") return KINDS[String(path?.at(-1)?.key)] ?? "an object";
  // valibot writes a choice as `("stdout" | "stderr")`.
  return TYPES[type] ?? expected?.replace(/^\((.*)\)$/, "$1").replaceAll(" | ", " or ") ?? "what nbformat 4.5 says";
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
