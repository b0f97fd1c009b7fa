/** Names and values of the running program, read without running any of its code (passive.ts). */
import { types } from "node:util";
import type { Description, Member } from "../protocol/live-values.ts";
import { openInspector } from "./inspector-session.ts";
import { answerCalls } from "./io/calls.ts";
import { heldProperty, previewOf, type Remote, typeName } from "./passive.ts";
import {
  apply,
  defineProperty,
  getPrototypeOf,
  globalObject,
  isArray,
  ownKeys,
  ownValue,
  startsWith,
  Table,
} from "./primordials.ts";
import { isNamedInCells } from "./run/cells.ts";

type Post = <R>(method: string, params: object, done: (error: Error | null, reply: R) => void) => void;

const { post } = openInspector<Post>();
const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const isIdentifier = RegExp.prototype.test.bind(identifier);
const sourceOf = Function.prototype.toString;
let catcher = "";
let caught: { value: unknown } | undefined;
let caughtValue: unknown;

/** The properties of the global object before the first cell, and its getters. */
let before: Table<PropertyKey, unknown> = new Table();

/** `hostName` is the global of the host's functions; names that start with it are not listed. */
export function installIntrospection(hostName: string): void {
  catcher = `${hostName}_look`;
  before = new Table(
    ownKeys(globalObject).map((key) => [key, Reflect.getOwnPropertyDescriptor(globalObject, key)?.get]),
  );
  defineProperty(globalObject, catcher, { value: (value: unknown) => (caught = { value }), enumerable: false });
  defineProperty(globalObject, `${catcher}_held`, { value: () => caughtValue, enumerable: false });
  answerCalls("names", () => names());
  answerCalls("members", ({ expression }: { expression: string }) => {
    const found = look(expression);
    return found ? members(found.value) : null;
  });
  answerCalls("describe", ({ expression }: { expression: string }) => {
    const found = look(expression);
    return found ? describe(found.value) : null;
  });
}

/** The names in scope: first variables of cells, then properties of the global object. */
function names(): Member[] {
  const found: Member[] = [];
  for (const name of lexicalNames()) found[found.length] = { name, kind: kindOf(look(name)?.value, "variable") };
  for (const member of members(globalObject)) if (!startsWith(member.name, "__halftone_")) found[found.length] = member;
  return found;
}

/** Names that cells declared with let, const or class; REPL mode keeps them outside the global object. */
export function lexicalNames(): string[] {
  let names: string[] = [];
  post<{ names: string[] }>("Runtime.globalLexicalScopeNames", { executionContextId: 1 }, (_error, reply) => {
    names = reply?.names ?? [];
  });
  return names;
}

/** The value of a name or a literal, or of a path of names and numbers from there. Nothing else is evaluated. */
export function look(expression: string): { value: unknown } | undefined {
  const path = pathIn(expression);
  if (!path) return undefined;
  let found = isLiteral(path.base) ? evaluated(path.base) : named(path.base);
  for (let at = 0; found && at < path.keys.length; at++) found = heldProperty(found.value, path.keys[at]!);
  return found;
}

/** V8's description of a value. */
export function describeRemotely(value: unknown): Remote {
  caughtValue = value;
  let remote: Remote = { type: typeof value };
  const expression = `${catcher}_held()`;
  post<{ result: Remote }>(
    "Runtime.evaluate",
    { expression, generatePreview: true, objectGroup: "look" },
    (_error, reply) => {
      if (reply?.result) remote = reply.result;
    },
  );
  post("Runtime.releaseObjectGroup", { objectGroup: "look" }, () => {});
  caughtValue = undefined;
  return remote;
}

const step =
  /\s*(?:\??\.\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)|(?:\?\.)?\[\s*(?:(\d+)|"([^"\\]*)"|'([^'\\]*)')\s*\])/uy;
const literal = /(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\$]|\\.)*`|\d+(?:\.\d+)?)/y;
const base = /[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;

function isLiteral(text: string): boolean {
  return /^["'`\d]/.test(text);
}

function pathIn(expression: string): { base: string; keys: string[] } | undefined {
  const matchAt = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(expression);
  };
  // Every array has the members of an empty array.
  if (expression.startsWith("[") && expression.endsWith("]")) return { base: "[]", keys: [] };
  const first = matchAt(base, 0) ?? matchAt(literal, 0);
  if (!first) return undefined;
  const keys: string[] = [];
  let end = first[0].length;
  while (end < expression.length) {
    const found = matchAt(step, end);
    if (!found) return undefined;
    keys.push((found[1] ?? found[2] ?? found[3] ?? found[4])!);
    end += found[0].length;
  }
  return { base: first[0], keys };
}

/** The value of a cell's variable or a global, unless it comes from a user's getter. */
function named(name: string): { value: unknown } | undefined {
  const onGlobal = Reflect.getOwnPropertyDescriptor(globalObject, name);
  if (onGlobal?.get && before.get(name) !== onGlobal.get && !includes(lexicalNames(), name)) return undefined;
  return evaluated(name);
}

function includes(list: readonly string[], wanted: string): boolean {
  for (let at = 0; at < list.length; at++) if (list[at] === wanted) return true;
  return false;
}

function evaluated(expression: string): { value: unknown } | undefined {
  let remote: Remote | undefined;
  // Wrapped in an object, because V8 describes an error by its `stack` and would call a getter for it.
  const boxed = `({ value: (${expression}\n) })`;
  post<{ result: Remote; exceptionDetails?: object }>(
    "Runtime.evaluate",
    { expression: boxed, throwOnSideEffect: true, silent: true, timeout: 250, objectGroup: "look" },
    (error, reply) => {
      if (!error && !ownValue(reply, "exceptionDetails")) remote = reply.result;
    },
  );
  if (!remote) return undefined;
  caught = undefined;
  post(
    "Runtime.callFunctionOn",
    {
      functionDeclaration: `function (box) { ${catcher}(box.value); }`,
      arguments: [{ objectId: remote.objectId }],
      executionContextId: 1,
      silent: true,
    },
    () => {},
  );
  post("Runtime.releaseObjectGroup", { objectGroup: "look" }, () => {});
  const found = caught as { value: unknown } | undefined;
  caught = undefined;
  return found;
}

/** Properties of the global object that cells added, without those that packages added. */
export function newGlobals(): string[] {
  const names: string[] = [];
  for (const key of ownKeys(globalObject)) {
    if (typeof key !== "string" || before.has(key) || startsWith(key, "__halftone_")) continue;
    if (isNamedInCells(key)) names[names.length] = key;
  }
  return names;
}

function members(value: unknown): Member[] {
  if (value === null || value === undefined) return [];
  const found = new Map<string, Member>();
  let object: object | null = Object(value) as object;
  for (let depth = 0; object !== null && depth < 16 && !types.isProxy(object); depth++) {
    if (object === Object.prototype && depth > 0 && found.size > 0) break;
    // Skips an array's indices, which are not names and may number millions.
    const keys = depth === 0 && (isArray(object) || types.isTypedArray(object)) ? [] : ownKeys(object);
    for (const key of keys) {
      if (typeof key !== "string" || found.has(key) || !isIdentifier(key) || key === "constructor") continue;
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
      const fieldValue: unknown = descriptor && "value" in descriptor ? descriptor.value : undefined;
      found.set(key, { name: key, kind: kindOf(fieldValue, "property") });
    }
    object = getPrototypeOf(object);
  }
  return [...found.values()];
}

function kindOf(value: unknown, otherwise: "property" | "variable"): Member["kind"] {
  if (typeof value !== "function") return otherwise;
  return isClass(value) ? "class" : "function";
}

function isClass(value: unknown): boolean {
  return /^class\b/.test(apply(sourceOf, value, []) as string);
}

function describe(value: unknown): Description {
  const preview = previewOf(value, describeRemotely);
  if (typeof value !== "function") return { kind: "value", signature: typeName(value), preview };
  const source = apply(sourceOf, value, []) as string;
  const native = source.endsWith("{ [native code] }");
  const [name, length] = [heldProperty(value, "name")?.value, heldProperty(value, "length")?.value];
  const signature = native
    ? `function ${typeof name === "string" ? name : ""}(${parameters(typeof length === "number" ? length : 0)})`
    : headOf(source);
  return { kind: isClass(value) ? "class" : "function", signature, preview, source };
}

function parameters(count: number): string {
  return Array.from({ length: count }, (_, index) => `arg${index + 1}`).join(", ");
}

/** The function's source up to its body. */
function headOf(source: string): string {
  let depth = 0;
  for (let at = 0; at < source.length && at < 500; at++) {
    const character = source[at]!;
    if (character === "(" || character === "[" || (character === "{" && depth > 0)) depth++;
    else if (character === ")" || character === "]" || (character === "}" && depth > 0)) depth--;
    else if (depth === 0 && (character === "{" || source.startsWith("=>", at))) return source.slice(0, at).trim();
  }
  return source.slice(0, 200).split("\n")[0]!;
}
