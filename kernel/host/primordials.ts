/**
 * The built-ins as they were before any cell ran. User code may replace globals and methods of prototypes, so host code that
 * runs after a cell calls these functions, and loops and appends by index.
 */
import { performance } from "node:perf_hooks";
import { types } from "node:util";

type Uncurried<Method> = Method extends (...args: infer Args) => infer Result
  ? (self: unknown, ...args: Args) => Result
  : never;

const { bind, call } = Function.prototype;
export const uncurryThis = bind.bind(call) as unknown as <Method extends (...args: never[]) => unknown>(
  method: Method,
) => Uncurried<Method>;

export const stringify = JSON.stringify;
export const parse = JSON.parse as (text: string) => unknown;
export const ownKeys = Reflect.ownKeys;
export const keysOf = Object.keys;
export const defineProperty = Object.defineProperty;
export const getPrototypeOf = Object.getPrototypeOf as (value: unknown) => object | null;
export const isArray = Array.isArray;
export const makeString = String;
export const { isInteger } = Number;
export const { min, max } = Math;
export const apply = Reflect.apply;

export const slice = uncurryThis(String.prototype.slice);
export const indexOf = uncurryThis(String.prototype.indexOf as (search: string, from?: number) => number);
export const startsWith = uncurryThis(String.prototype.startsWith as (search: string) => boolean);
export const endsWith = uncurryThis(String.prototype.endsWith as (search: string) => boolean);
export const exec = uncurryThis(RegExp.prototype.exec);
const { has, getOwnPropertyDescriptor } = Reflect;
/** A property that the object itself has. A cell may give all objects properties. */
export const ownValue = <Holder extends object, Name extends keyof Holder>(
  object: Holder,
  name: Name,
): Holder[Name] | undefined => getOwnPropertyDescriptor(object, name)?.value as Holder[Name] | undefined;
export const isIn = (name: PropertyKey, object: object): boolean => has(object, name);

export const now = performance.now.bind(performance);
export const soon = setImmediate;

/** The built-ins by name. A cell may declare variables with these names, which would shadow the built-ins here. */
export const intrinsics = {
  Array,
  Error,
  Math,
  Number,
  Object,
  Promise,
  Reflect,
  String,
  SyntaxError,
  TypeError,
  Uint8Array,
  URL,
} as const;

/** A cell may delete the name `globalThis`. */
export const globalObject = globalThis;

const { isProxy } = types;

/** `instanceof` that calls no user code. It returns false when it meets a proxy. */
export function inherits(value: unknown, prototype: object): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  for (let at: object | null = value; at !== null; at = getPrototypeOf(at)) {
    if (at === prototype) return true;
    if (isProxy(at)) return false;
  }
  return false;
}

export function includes(list: readonly unknown[], wanted: unknown): boolean {
  for (let index = 0; index < list.length; index++) if (list[index] === wanted) return true;
  return false;
}

/** Splits text into lines without methods that user code may have replaced. */
export function linesOf(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  for (let count = 0; ; count++) {
    const end = indexOf(text, "\n", start);
    if (end === -1) {
      lines[count] = slice(text, start);
      return lines;
    }
    lines[count] = slice(text, start, end);
    start = end + 1;
  }
}

export function joinLines(lines: readonly string[]): string {
  let text = "";
  for (let index = 0; index < lines.length; index++) text += index === 0 ? lines[index] : `\n${lines[index]}`;
  return text;
}

/** A Map that has its methods as own properties. */
export class Table<Key, Value> extends Map<Key, Value> {
  static {
    ownMethods(Table.prototype, Map.prototype);
  }
}

export class WeakTable<Key extends WeakKey, Value> extends WeakMap<Key, Value> {
  static {
    ownMethods(WeakTable.prototype, WeakMap.prototype);
  }
}

function ownMethods(target: object, from: object): void {
  for (const name of Reflect.ownKeys(from))
    if (name !== "constructor") Object.defineProperty(target, name, Object.getOwnPropertyDescriptor(from, name)!);
}
