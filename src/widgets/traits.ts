/** Traits: what values an attribute of a widget takes, and how they travel to the front end. */
import { inspect } from "node:util";
import { isWidget, type WidgetReference, widgetOf } from "./registry.ts";

/** One attribute of a widget model. */
export interface Trait<T = unknown> {
  /** What a value must be, for messages: "an integer". */
  readonly expects: string;
  accepts(value: unknown): boolean;
  initial(): T;
  /** The form in which the front end knows the value, where it is another. */
  toWire?(value: T): unknown;
  fromWire?(wire: unknown): unknown;
  /** Makes the value of a plain object, for parts such as `layout`. */
  make?(state: object): T;
  /** Set for an attribute that the front end does not know. */
  readonly local?: boolean;
}

export type Traits = Readonly<Record<string, Trait>>;

function trait<T>(expects: string, accepts: (value: unknown) => boolean, initial: T): Trait<T> {
  return { expects, accepts, initial: () => initial };
}

export const int = (initial: number): Trait => trait("an integer", Number.isSafeInteger, initial);
export const float = (initial: number): Trait => trait("a finite number", Number.isFinite, initial);
export const bool = (initial: boolean): Trait => trait("true or false", (value) => typeof value === "boolean", initial);
export const text = (initial: string): Trait => trait("text", (value) => typeof value === "string", initial);

export const oneOf = (initial: string | null, ...values: (string | null)[]): Trait =>
  trait(
    `one of ${values.map((each) => inspect(each)).join(", ")}`,
    (value) => values.includes(value as string),
    initial,
  );

export const bytes = (): Trait => ({
  expects: "bytes (a Uint8Array)",
  accepts: (value) => value instanceof Uint8Array,
  initial: () => new Uint8Array(),
  fromWire: (wire) => (ArrayBuffer.isView(wire) ? new Uint8Array(wire.buffer, wire.byteOffset, wire.byteLength) : wire),
});

/** Any value that JSON can represent, with bytes and widgets inside. */
export const json = (initial: unknown = null): Trait => ({
  expects: "a value that JSON can represent",
  accepts: (value) => isJson(value, new Set()),
  initial: () => structuredClone(initial),
});

export const record = (): Trait => ({ ...trait("an object", isRecord, {}), initial: () => ({}) });

/** The same, or null. */
export function orNull(inner: Trait, initial: unknown = null): Trait {
  return {
    ...inner,
    expects: `${inner.expects}, or null`,
    accepts: (value) => value === null || inner.accepts(value),
    initial: () => initial,
    ...(inner.toWire && { toWire: (value) => (value === null ? null : inner.toWire!(value)) }),
    ...(inner.fromWire && { fromWire: (wire) => (wire === null ? null : inner.fromWire!(wire)) }),
  };
}

/** The same, unknown to the front end. */
export const local = (inner: Trait): Trait => ({ ...inner, local: true });

/** The first of these that accepts the value. */
export const either = (first: Trait, second: Trait): Trait => ({
  ...first,
  expects: `${first.expects} or ${second.expects}`,
  accepts: (value) => first.accepts(value) || second.accepts(value),
});

export function list(item: Trait, initial: readonly unknown[] = []): Trait {
  return {
    expects: `an array, each element ${item.expects}`,
    accepts: (value) => Array.isArray(value) && value.every((each) => item.accepts(each)),
    initial: () => [...initial],
    ...(item.toWire && { toWire: (value) => (value as unknown[]).map((each) => item.toWire!(each)) }),
    ...(item.fromWire && {
      fromWire: (wire) => (Array.isArray(wire) ? wire.map((each) => item.fromWire!(each)) : wire),
    }),
  };
}

export function pair(item: Trait, initial: readonly [unknown, unknown]): Trait {
  const { accepts, ...same } = list(item, initial);
  return {
    ...same,
    expects: `an array of two, each ${item.expects}`,
    accepts: (value) => accepts(value) && (value as unknown[]).length === 2,
  };
}

/** A reference to another widget. */
export const widget = (): Trait<WidgetReference | null> => ({
  expects: "a widget",
  accepts: isWidget,
  initial: () => null,
  fromWire: widgetOf,
});

/** A widget that each instance has for itself, such as its layout. */
export const part = (made: () => new (state?: object) => WidgetReference): Trait<WidgetReference> => ({
  expects: "a widget, or an object of its attributes",
  accepts: isWidget,
  initial: () => new (made())(),
  fromWire: widgetOf,
  make: (state) => new (made())(state),
});

export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Bytes and widgets count as JSON, because they leave the state before it is sent. */
function isJson(value: unknown, above: Set<unknown>): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value !== "object" || above.has(value)) return false;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Date || isWidget(value))
    return true;
  if (!Array.isArray(value) && !isRecord(value)) return false;
  const inside = new Set(above).add(value);
  return Object.values(value).every((each) => each === undefined || isJson(each, inside));
}

/** A widget and the name of one of its attributes. */
export type LinkEnd = readonly [WidgetReference, string] | readonly [];

export const linkEnd = (): Trait<LinkEnd> => ({
  expects: "a widget and the name of its attribute",
  accepts: (value) =>
    Array.isArray(value) && (value.length === 0 || (isWidget(value[0]) && typeof value[1] === "string")),
  initial: () => [],
  toWire: (end) => end.map((each) => (typeof each === "string" ? wireName(each) : each)),
  fromWire: (wire) =>
    Array.isArray(wire) ? wire.map((each, index) => (index === 0 ? widgetOf(each) : localName(String(each)))) : wire,
});

/** `barStyle` for `bar_style`; names that begin with `_` keep it. */
export function localName(wire: string): string {
  return wire.replace(/(?<!^)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export function wireName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
