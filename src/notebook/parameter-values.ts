import { type Expression, type ObjectExpression, parseSync } from "oxc-parser";
import { UserError } from "../base/user-error.ts";

/** Values of parameters: parsed like papermill's command line, written as TypeScript, and stored as JSON. */

const WORDS: Record<string, unknown> = { true: true, false: false, null: null, None: null, True: true, False: false };
/** What Python's `int()` and `float()` accept (papermill.cli, `_resolve_type`), except digits that are not ASCII. */
const DIGITS = String.raw`\d+(?:_\d+)*`;
const INTEGER = new RegExp(`^[+-]?${DIGITS}$`);
const DECIMAL = new RegExp(`^[+-]?(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`, "i");
const NOT_FINITE = /^([+-]?)(?:(inf|infinity)|nan)$/i;

/** Converts a command-line argument to a number, true, false, null or JSON if it has that form, otherwise returns the text. */
export function parseParameter(name: string, text: string): unknown {
  if (Object.hasOwn(WORDS, text)) return WORDS[text];
  const number = text.trim();
  if (INTEGER.test(number))
    return exactInteger(number, `-p ${name}=${text}`, `pass it as text with -r ${name}=${number}`);
  if (DECIMAL.test(number)) return Number(number.replaceAll("_", ""));
  const [isNumber, sign, infinite] = NOT_FINITE.exec(number) ?? [];
  if (isNumber !== undefined) return infinite === undefined ? Number.NaN : sign === "-" ? -Infinity : Infinity;
  if (!/^[[{"]/.test(text)) return text;
  try {
    return parseJsonValue(text, `-p ${name}=${text}`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`-p ${name}=${text}: not valid JSON. Pass it as text with -r, or quote it for the shell.`);
  }
}

const TOKENS = /"(?:[^"\\]|\\.)*"|-?(?:Infinity|NaN)\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;
const MARK = "\0number:";

/**
 * Parses JSON as Python does, including NaN and Infinity.
 * @throws UserError for an integer that a number cannot hold exactly; SyntaxError for invalid JSON
 */
export function parseJsonValue(text: string, from: string): unknown {
  const marked = text.replaceAll(TOKENS, (token) => {
    if (/^-?\d+$/.test(token)) exactInteger(token, from, `write it as text, "${token}"`);
    return /^-?(Infinity|NaN)$/.test(token) ? JSON.stringify(MARK + token) : token;
  });
  return JSON.parse(marked, (_, value) =>
    typeof value === "string" && value.startsWith(MARK) ? Number(value.slice(MARK.length)) : value,
  );
}

function exactInteger(text: string, from: string, instead: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const subject = from.endsWith(text) ? "this integer" : `the integer ${text}`;
  throw new UserError(`${from}: a number cannot hold ${subject} exactly (it is beyond 2^53); ${instead}.`);
}

/** Formats `value` as TypeScript: JSON, except for numbers that JSON cannot represent. */
export function sourceOf(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(sourceOf).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, each]) => `${keySource(key)}:${sourceOf(each)}`);
  return `{${entries.join(",")}}`;
}

/** `{"__proto__": 1}` would set a prototype. */
function keySource(key: string): string {
  return key === "__proto__" ? '["__proto__"]' : JSON.stringify(key);
}

/** The value of a TypeScript literal in the form in which JSON can store it; undefined if `text` is not a plain literal. */
export function literalValue(text: string): unknown {
  const { program, errors } = parseSync("value.ts", `(${text}\n)`);
  const [statement] = program.body;
  if (errors.length > 0 || program.body.length !== 1 || statement?.type !== "ExpressionStatement") return undefined;
  return plainValue(statement.expression);
}

function plainValue(node: Expression): unknown {
  switch (node.type) {
    case "ParenthesizedExpression":
      return plainValue(node.expression);
    case "Literal":
      return "regex" in node || "bigint" in node ? undefined : toStorable(node.value);
    case "Identifier":
      return node.name === "NaN" ? toStorable(Number.NaN) : node.name === "Infinity" ? toStorable(Infinity) : undefined;
    case "UnaryExpression":
      return signed(node.operator, plainValue(node.argument));
    case "ArrayExpression":
      return all(
        node.elements.map((each) => (each === null || each.type === "SpreadElement" ? undefined : plainValue(each))),
      );
    case "ObjectExpression":
      return plainObject(node.properties);
    default:
      return undefined;
  }
}

/** Stores NaN and infinities as an object, because JSON lacks them and plain text would be ambiguous. */
function toStorable(value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? { number: String(value) } : value;
}

function signed(operator: string, value: unknown): unknown {
  const number = typeof value === "object" ? Number((value as { number?: string } | null)?.number) : value;
  if (typeof number !== "number" || value === undefined || value === null) return undefined;
  return operator === "-" ? toStorable(-number) : operator === "+" ? toStorable(number) : undefined;
}

function plainObject(properties: ObjectExpression["properties"]): unknown {
  const entries = properties.map((each) => {
    if (each.type === "SpreadElement" || each.kind !== "init") return [undefined, undefined] as const;
    const { key, value, computed } = each;
    const name =
      key.type === "Identifier" && !computed ? key.name : key.type === "Literal" ? String(key.value) : undefined;
    return [name, plainValue(value)] as const;
  });
  if (entries.some(([name, value]) => name === undefined || value === undefined)) return undefined;
  return Object.fromEntries(entries as [string, unknown][]);
}

function all(values: unknown[]): unknown[] | undefined {
  return values.includes(undefined) ? undefined : values;
}

/** Formats a parameter's stored value for people. */
export function formatParameter(value: unknown): string {
  const number = typeof value === "object" && value !== null ? (value as { number?: unknown }).number : undefined;
  const isNotFinite =
    typeof number === "string" && Object.keys(value as object).length === 1 && NOT_FINITE.test(number);
  return isNotFinite ? number : JSON.stringify(value);
}
