/**
 * Inspects values of the running program without running user code: no getters, no methods that display or convert, no proxy
 * traps. V8 describes objects from their internal slots. Only accessors of the language itself are called (`map.size`).
 */
import { inspect, types } from "node:util";
import { apply, exec, getPrototypeOf, isArray, ownKeys } from "./primordials.ts";

/** V8's own description of a value (Chrome DevTools protocol, Runtime.RemoteObject and Runtime.ObjectPreview). */
export interface Remote {
  type: string;
  subtype?: string;
  className?: string;
  description?: string;
  value?: unknown;
  unserializableValue?: string;
  objectId?: string;
  preview?: Preview;
}

interface Preview {
  type: string;
  subtype?: string;
  description?: string;
  overflow: boolean;
  properties: { name: string; type: string; subtype?: string; value?: string }[];
  entries?: { key?: Preview; value: Preview }[];
}

const descriptorOf = Reflect.getOwnPropertyDescriptor;
const sourceOf = Function.prototype.toString;
const typedLength = descriptorOf(getPrototypeOf(Uint8Array.prototype)!, "length")!.get!;
const customInspect = Symbol.for("nodejs.util.inspect.custom");
/** Marks a display method of the library, which may be called. */
const shownByLibrary = Symbol.for("halftone.shown");
const deepest = 100;
/** More properties than V8 includes in a preview. */
const mostLooked = 200;
const forEachOfMap = Map.prototype.forEach;
const forEachOfSet = Set.prototype.forEach;

/** A property's stored value, or that of a getter of the language itself. Undefined when user code would compute it. */
export function heldProperty(of: unknown, key: PropertyKey): { value: unknown } | undefined {
  if (of === null || of === undefined) return undefined;
  let object: object | null = Object(of) as object;
  for (let depth = 0; object !== null && depth < deepest; depth++) {
    if (types.isProxy(object)) return undefined;
    const found = descriptorOf(object, key);
    if (found && "value" in found) return { value: found.value };
    if (found?.get && isNative(found.get)) return { value: apply(found.get, of, []) };
    if (found) return undefined;
    object = getPrototypeOf(object);
  }
  return undefined;
}

function isNative(getter: () => unknown): boolean {
  return exec(/^function get [^{]*\{ \[native code\] \}$/, apply(sourceOf, getter, []) as string) !== null;
}

/** `Map`, `number`, `Array(3)`. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  if (types.isProxy(value)) return "Proxy";
  const maker = heldProperty(getPrototypeOf(value), "constructor")?.value;
  const name = typeof maker === "function" && !types.isProxy(maker) ? heldProperty(maker, "name")?.value : undefined;
  const length = isArray(value) ? value.length : types.isTypedArray(value) ? apply(typedLength, value, []) : undefined;
  return `${typeof name === "string" && name !== "" ? name : "object"}${length === undefined ? "" : `(${length})`}`;
}

/** A short text for a value. `describe` returns V8's description of it. */
export function previewOf(value: unknown, describe: (value: unknown) => Remote): string {
  if (isShownByLibrary(value)) return inspect(value, { depth: 1, breakLength: 100 });
  if (typeof value === "function") return functionText(value);
  if (typeof value !== "object" || value === null) return inspect(value, { maxStringLength: 500 });
  if (types.isProxy(value)) return "Proxy";
  if (types.isNativeError(value)) return errorText(value);
  if (inheritsFromProxy(value) || holdsOdd(value)) return `[${typeName(value)}]`;
  const { preview, description = "object" } = describe(value);
  return preview ? textOf(preview) : firstLine(description);
}

function functionText(value: object): string {
  if (types.isProxy(value)) return "Proxy";
  const name = heldProperty(value, "name")?.value;
  const kind = exec(/^class\b/, apply(sourceOf, value, []) as string) ? "class" : "Function:";
  return typeof name === "string" && name !== "" ? `[${kind} ${name}]` : `[${kind.replace(":", "")}]`;
}

function errorText(error: object): string {
  const [name, message] = [heldProperty(error, "name")?.value, heldProperty(error, "message")?.value];
  const title = typeof name === "string" ? name : "Error";
  return firstLine(typeof message === "string" && message !== "" ? `${title}: ${message}` : title);
}

/** Whether V8 would call a proxy's trap: it reads properties such as `splice`, which an object may inherit from a proxy. */
function inheritsFromProxy(value: object): boolean {
  let object: object | null = value;
  for (let depth = 0; object !== null && depth < deepest && !types.isProxy(object); depth++)
    object = getPrototypeOf(object);
  return object !== null && object !== value;
}

/** Whether V8 would call user code to describe the value: the getter of an error's `stack`, or a trap of an inherited proxy. */
function isOdd(value: unknown): boolean {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  if (types.isNativeError(value) && typeof descriptorOf(value, "stack")?.value !== "string") return true;
  return inheritsFromProxy(value);
}

function holdsOdd(value: object): boolean {
  if (types.isTypedArray(value)) return false;
  const keys = ownKeys(value);
  for (let at = 0; at < keys.length && at < mostLooked; at++)
    if (isOdd(descriptorOf(value, keys[at]!)?.value)) return true;
  const entries = types.isMap(value) || types.isSet(value) ? previewEntries(value) : [];
  for (let at = 0; at < entries.length && at < mostLooked; at++) if (isOdd(entries[at])) return true;
  return false;
}

function previewEntries(value: Map<unknown, unknown> | Set<unknown>): unknown[] {
  const found: unknown[] = [];
  const add = (entry: unknown, key: unknown) => {
    if (found.length < mostLooked) found.push(entry, key);
  };
  eachEntry(value, add);
  return found;
}

/** Calls `visit` for each entry of a map or a set, without the methods that a cell may have replaced. */
export function eachEntry(
  value: Map<unknown, unknown> | Set<unknown>,
  visit: (entry: unknown, key: unknown) => void,
): void {
  apply(types.isMap(value) ? forEachOfMap : forEachOfSet, value, [visit]);
}

/** A tensor's shape and numbers, from a display method that the user neither wrote nor replaced. */
export function isShownByLibrary(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const method = heldProperty(value, customInspect)?.value;
  return typeof method === "function" && !types.isProxy(method) && descriptorOf(method, shownByLibrary)?.value === true;
}

function textOf({ subtype, description = "Object", overflow, properties, entries }: Preview): string {
  if (subtype === "date" || subtype === "regexp" || subtype === "error") return firstLine(description);
  const parts: string[] = [];
  const list = subtype === "array" || subtype === "typedarray";
  for (let at = 0; at < properties.length; at++) {
    const { name, type, subtype: kind, value } = properties[at]!;
    if (subtype === "map" || subtype === "set" ? name === "size" : list && !exec(/^\d+$/, name)) continue;
    const text = type === "accessor" ? "[Getter]" : wordsFor(type, kind, value);
    parts.push(list ? text : `${name}: ${text}`);
  }
  for (let at = 0; at < (entries?.length ?? 0); at++) {
    const { key, value } = entries![at]!;
    const words = ({ type, subtype: kind, description: text }: Preview) => wordsFor(type, kind, text);
    parts.push(key ? `${words(key)} => ${words(value)}` : words(value));
  }
  if (overflow) parts.push("…");
  const body = parts.length === 0 ? "" : ` ${parts.join(", ")} `;
  const [open, close] = list ? ["[", "]"] : ["{", "}"];
  return `${description === "Object" || subtype === "array" ? "" : `${description} `}${open}${body}${close}`;
}

function wordsFor(type: string, subtype: string | undefined, text = ""): string {
  if (type === "string") return inspect(text);
  if (type === "function") return "[Function]";
  if (subtype === "error") return firstLine(text);
  return text;
}

function firstLine(text: string): string {
  const line = text.split("\n", 1)[0]!;
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
