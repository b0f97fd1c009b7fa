/**
 * Names and values of the running program, looked at without changing it: V8 evaluates with `throwOnSideEffect`, so a getter or a
 * call that would change anything gives no answer.
 */
import inspector from "node:inspector";
import { inspect, types } from "node:util";
import { answerCalls } from "./calls.ts";
import { isNamedInCells } from "./cells.ts";
import { apply, defineProperty, getPrototypeOf, ownKeys, startsWith, Table } from "./primordials.ts";

export interface Member {
  name: string;
  kind: "function" | "class" | "property" | "variable";
}

export interface Description {
  /** The source's first line for a function, the type's name for another value. */
  signature: string;
  kind: "function" | "class" | "value";
  preview: string;
  source?: string;
}

type Remote = { objectId?: string; value?: unknown; unserializableValue?: string; type: string };
type Post = <R>(method: string, params: object, done: (error: Error | null, reply: R) => void) => void;

const session = new inspector.Session();
session.connect();
const post = session.post.bind(session) as unknown as Post;
const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const isIdentifier = RegExp.prototype.test.bind(identifier);
const sourceOf = Function.prototype.toString;
let catcher = "";
let caught: { value: unknown } | undefined;

/** `hostName` is the global that stands for the host; what starts with it is nobody's business. */
/** What the global object held before the first cell. */
let before: Table<PropertyKey, true> = new Table();

export function installIntrospection(hostName: string): void {
  catcher = `${hostName}_look`;
  before = new Table(ownKeys(globalThis).map((key) => [key, true]));
  defineProperty(globalThis, catcher, { value: (value: unknown) => (caught = { value }), enumerable: false });
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

/** Variables of cells first, then what is on the global object. */
function names(): Member[] {
  const found: Member[] = [];
  for (const name of lexicalNames()) found[found.length] = { name, kind: kindOf(look(name)?.value, "variable") };
  for (const member of members(globalThis)) if (!startsWith(member.name, "__halftone_")) found[found.length] = member;
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

/** The value of an expression that changes nothing; undefined when there is none. */
export function look(expression: string): { value: unknown } | undefined {
  let remote: Remote | undefined;
  post<{ result: Remote; exceptionDetails?: object }>(
    "Runtime.evaluate",
    { expression: `(${expression}\n)`, throwOnSideEffect: true, silent: true, timeout: 250, objectGroup: "look" },
    (error, reply) => {
      if (!error && !reply.exceptionDetails) remote = reply.result;
    },
  );
  if (!remote) return undefined;
  const { objectId, unserializableValue, value } = remote;
  const argument = objectId ? { objectId } : unserializableValue ? { unserializableValue } : { value };
  caught = undefined;
  post(
    "Runtime.callFunctionOn",
    {
      functionDeclaration: `function (value) { ${catcher}(value); }`,
      arguments: [argument],
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

/** Names that cells gave to the global object, not those that packages did. */
export function newGlobals(): string[] {
  const names: string[] = [];
  for (const key of ownKeys(globalThis)) {
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
    for (const key of ownKeys(object)) {
      if (typeof key !== "string" || found.has(key) || !isIdentifier(key) || key === "constructor") continue;
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
      const held: unknown = descriptor && "value" in descriptor ? descriptor.value : undefined;
      found.set(key, { name: key, kind: kindOf(held, "property") });
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
  const preview = inspect(value, {
    depth: 1,
    breakLength: 100,
    maxArrayLength: 20,
    maxStringLength: 500,
    getters: false,
  });
  if (typeof value !== "function") return { kind: "value", signature: typeName(value), preview };
  const source = apply(sourceOf, value, []) as string;
  const native = source.endsWith("{ [native code] }");
  const signature = native ? `function ${value.name}(${parameters(value.length)})` : headOf(source);
  return { kind: isClass(value) ? "class" : "function", signature, preview, source };
}

function parameters(count: number): string {
  return Array.from({ length: count }, (_, index) => `arg${index + 1}`).join(", ");
}

/** Up to the body. */
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

export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  const prototype = getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  const size = Array.isArray(value) || ArrayBuffer.isView(value) ? `(${(value as unknown[]).length})` : "";
  return `${typeof name === "string" && name !== "" ? name : "object"}${size}`;
}
