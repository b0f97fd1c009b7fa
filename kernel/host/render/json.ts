import { types } from "node:util";
import { defineProperty, intrinsics, isArray, keysOf, makeString, uncurryThis } from "../primordials.ts";

/** A value that `JSON.stringify` represents without silent loss. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const forEachOfMap = uncurryThis(Map.prototype.forEach as (each: (value: unknown, key: unknown) => void) => void);
const forEachOfSet = uncurryThis(Set.prototype.forEach as (each: (value: unknown) => void) => void);
const deepest = 200;

/**
 * Converts a user's value to JSON, for a mime bundle, its metadata or a comm's data. NaN and infinities become null, as
 * plotly expects. Typed arrays and Sets become arrays, Maps with text keys become objects, and tensors become nested arrays. A
 * value with `toJSON` (a Date) becomes the result of that. An undefined property is left out, and an undefined element becomes
 * null, as in JSON.stringify. Throws a TypeError with the path of any other value: functions, symbols, BigInts, bytes without
 * a type, cycles.
 *
 * @param where the value's name in error messages: `data of figure`
 */
export function toJson(value: unknown, where: string): Json {
  return convert(value, where, [], where) ?? null;
}

function convert(value: unknown, where: string, around: object[], key: string): Json | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return value - value === 0 ? value : null;
    case "undefined":
      return undefined;
    case "bigint":
      throw new intrinsics.TypeError(
        `${where} is the BigInt ${value}, which JSON cannot represent: convert it with Number(...) or String(...)`,
      );
    case "object":
      return value === null ? null : convertObject(value, where, around, key);
    default:
      throw new intrinsics.TypeError(
        `${where} is a ${typeof value}, which JSON cannot represent: leave it out, or pass its result`,
      );
  }
}

function convertObject(value: object, where: string, around: object[], key: string): Json | undefined {
  if (around.length >= deepest) throw new intrinsics.TypeError(`${where} is nested more than ${deepest} levels deep`);
  for (let index = 0; index < around.length; index++)
    if (around[index] === value)
      throw new intrinsics.TypeError(`${where} contains itself, which JSON cannot represent`);
  around[around.length] = value;
  try {
    return contents(value, where, around, key);
  } finally {
    around.length--;
  }
}

function contents(value: object, where: string, around: object[], key: string): Json | undefined {
  const { toJSON, arraySync } = value as Partial<ToJson & Tensor>;
  if (typeof arraySync === "function" && "dataId" in value)
    return convert((value as unknown as Tensor).arraySync(), where, around, key);
  if (typeof toJSON === "function") return convert((value as ToJson).toJSON(key), where, around, key);
  // A Series or DataFrame of danfojs.
  if ("$data" in value && "values" in value) return convert(value.values, where, around, key);
  if (isArray(value)) return list(value, where, around);
  if (types.isTypedArray(value)) return list(value as unknown as ArrayLike<unknown>, where, around);
  if (types.isAnyArrayBuffer(value) || types.isDataView(value))
    throw new intrinsics.TypeError(
      `${where} is bytes without a type: pass a typed array, such as new Float32Array(...)`,
    );
  if (types.isBoxedPrimitive(value)) return convert(value.valueOf(), where, around, key);
  if (types.isSet(value)) {
    const items: unknown[] = [];
    forEachOfSet(value, (item) => {
      items[items.length] = item;
    });
    return list(items, where, around);
  }
  const object: { [key: string]: Json } = {};
  if (types.isMap(value)) {
    forEachOfMap(value, (item, name) => {
      if (typeof name !== "string")
        throw new intrinsics.TypeError(
          `${where} is a Map with the key ${makeString(name)}: only text can be a key in JSON`,
        );
      put(object, name, item, where, around);
    });
    return object;
  }
  refuseOpaque(value, where);
  const names = keysOf(value);
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!;
    put(object, name, (value as Record<string, unknown>)[name], where, around);
  }
  return object;
}

/** JSON.stringify would turn these into an empty object. */
function refuseOpaque(value: object, where: string): void {
  const kind =
    (types.isPromise(value) && "a Promise: await it") ||
    ((types.isWeakMap(value) || types.isWeakSet(value)) && "a weak collection, whose contents cannot be listed") ||
    (types.isRegExp(value) && "a RegExp: pass its text, by String(...)") ||
    (types.isNativeError(value) && "an Error: pass its message") ||
    ((types.isMapIterator(value) || types.isSetIterator(value) || types.isGeneratorObject(value)) &&
      "an iterator: pass an array, by Array.from(...)");
  if (kind) throw new intrinsics.TypeError(`${where} is ${kind}`);
}

function list(items: ArrayLike<unknown>, where: string, around: object[]): Json[] {
  const { length } = items;
  const jsonItems: Json[] = [];
  for (let index = 0; index < length; index++) {
    const item = items[index];
    // A fast path, because figures consist of long arrays of numbers.
    jsonItems[index] =
      typeof item === "number"
        ? item - item === 0
          ? item
          : null
        : (convert(item, typeof item === "string" ? where : `${where}[${index}]`, around, `${index}`) ?? null);
  }
  return jsonItems;
}

function put(object: { [key: string]: Json }, name: string, item: unknown, where: string, around: object[]): void {
  const converted = convert(item, `${where}.${name}`, around, name);
  if (converted === undefined) return;
  if (name !== "__proto__") object[name] = converted;
  else defineProperty(object, name, { value: converted, configurable: true, enumerable: true, writable: true });
}

interface Tensor {
  arraySync(): unknown;
}
interface ToJson {
  toJSON(key: string): unknown;
}
