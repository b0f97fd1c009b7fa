import type { z } from "zod";

/** What keeps `value` from being a notebook, as a sentence. */
export function faultOf(value: unknown, error: z.ZodError): string {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `It holds ${shown(value)} where a notebook has an object with cells.`;
  const issue = error.issues[0]!;
  const found = issue.path.reduce<unknown>(
    (at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step],
    value,
  );
  const where = issue.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  const field = where.replace(/^\./, "");
  if (found === undefined && field === "nbformat") return "It has no nbformat field, which every notebook has.";
  return found === undefined ? `${field} is missing.` : `${field} should be ${wanted(issue)}, but is ${shown(found)}.`;
}

const TYPES: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};
const KINDS: Record<string, string> = {
  cell_type: '"code", "markdown" or "raw"',
  output_type: '"stream", "display_data", "execute_result" or "error"',
};

function wanted(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return TYPES[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_value") return issue.values.map((value) => JSON.stringify(value)).join(" or ");
  if (issue.code === "invalid_union") return KINDS[String(issue.path.at(-1))] ?? "text or a list of lines";
  return "what nbformat 4.5 says";
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
