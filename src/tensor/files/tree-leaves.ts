// Converts the leaves of a tree that are not tensors (numbers, text, typed arrays) for a file, and back.
import { isTensor } from "../tree.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { areListKeys, type TreeStructure } from "./tree-structure.ts";

const typedArrays = {
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
} as const;
export type TypedArrayName = keyof typeof typedArrays;
export type TypedArray = InstanceType<(typeof typedArrays)[TypedArrayName]>;

/** A value in a file: a tensor, or another value that `save` stores. */
export type SavedLeaf = AnyTensor | TypedArray | number | string | boolean | bigint | null | [] | Record<string, never>;

/** A leaf stored in a file's JSON. Numbers that JSON cannot express, and empty lists and objects, are stored as objects. */
export type PlainLeaf =
  | number
  | string
  | boolean
  | null
  | { number: "NaN" | "Infinity" | "-Infinity" | "-0" }
  | { bigint: string }
  | { empty: "list" | "object" };

/** The leaves of a tree by name: the keys that lead to them, joined by dots. */
export interface TreeLeaves {
  tensors: Map<string, AnyTensor>;
  arrays: Map<string, TypedArray>;
  plain: Map<string, PlainLeaf>;
  structure: TreeStructure;
}

/**
 * Every leaf of a tree by its path, "layers.0.weight".
 * @throws TypeError naming the path, for a leaf that cannot be saved, or for two leaves with the same path
 */
export function treeLeaves(tree: unknown): TreeLeaves {
  const [tensors, arrays, plain] = [
    new Map<string, AnyTensor>(),
    new Map<string, TypedArray>(),
    new Map<string, PlainLeaf>(),
  ];
  const structure: TreeStructure = { keys: {}, objects: [] };
  const ancestors = new Set<object>();
  const add = <T>(kind: Map<string, T>, keys: readonly string[], leaf: T) => {
    const path = keys.join(".");
    if ([tensors, arrays, plain].some((leaves: ReadonlyMap<string, unknown>) => leaves.has(path)))
      throw new TypeError(`save: two leaves of the tree have the path ${path}; rename one`);
    kind.set(path, leaf);
    if (path.split(".").length !== keys.length) structure.keys[path] = [...keys];
  };
  const branch = (children: [string, unknown][], kind: "list" | "object", parent: object, keys: readonly string[]) => {
    if (ancestors.has(parent)) throw new TypeError(`save: ${nameOf(keys)} contains itself`);
    if (children.length === 0) add(plain, keys, { empty: kind });
    else if (kind === "object" && areListKeys(children.map(([key]) => key))) structure.objects.push([...keys]);
    // The path of such a property would be that of the tree itself.
    if (keys.length === 0 && children.some(([key]) => key === ""))
      throw new TypeError("save: a property of the tree has an empty name; rename it");
    ancestors.add(parent);
    for (const [key, child] of children) visit(child, [...keys, key]);
    ancestors.delete(parent);
  };
  const visit = (value: unknown, keys: readonly string[]): void => {
    const array = typedArrayOf(value);
    const leaf = plainOf(value);
    if (isTensor(value)) add(tensors, keys, value);
    else if (array) add(arrays, keys, array);
    else if (leaf !== undefined) add(plain, keys, leaf);
    else if (Array.isArray(value)) branch(Object.entries([...value]), "list", value, keys);
    else if (isPlainObject(value)) branch(Object.entries(value), "object", value, keys);
    else
      throw new TypeError(
        `save: ${nameOf(keys)} is ${kindName(value)}, which cannot be saved. A tree may contain tensors, typed arrays, numbers, ` +
          `text, booleans and null, in plain objects and arrays${value === undefined ? ": leave the property out, or set it to null" : ""}`,
      );
  };
  visit(tree, []);
  return { tensors, arrays, plain, structure };
}

const nameOf = (keys: readonly string[]): string => keys.join(".") || "the tree";

/** Restores a leaf that `treeLeaves` converted. */
export function leafFrom(leaf: PlainLeaf): number | string | boolean | bigint | null | [] | Record<string, never> {
  if (typeof leaf !== "object" || leaf === null) return leaf;
  if ("number" in leaf) return Number(leaf.number);
  if ("bigint" in leaf) return BigInt(leaf.bigint);
  return leaf.empty === "list" ? [] : {};
}

/** A typed array of the given kind over a copy of the bytes; undefined for an unknown kind. */
export function typedArrayFrom(name: string, bytes: Uint8Array): TypedArray | undefined {
  const make = Object.hasOwn(typedArrays, name) ? typedArrays[name as TypedArrayName] : undefined;
  return make && new make(bytes.slice().buffer as ArrayBuffer);
}

function typedArrayOf(value: unknown): TypedArray | undefined {
  if (!ArrayBuffer.isView(value)) return undefined;
  const kind = (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? "";
  return Object.hasOwn(typedArrays, kind) ? (value as unknown as TypedArray) : undefined;
}

function plainOf(value: unknown): PlainLeaf | undefined {
  if (typeof value === "bigint") return { bigint: `${value}` };
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "number") return undefined;
  if (Object.is(value, -0)) return { number: "-0" };
  return Number.isFinite(value) ? value : { number: `${value}` as "NaN" };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // An object of another realm, for instance of a notebook's cells, has another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindName(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  const name = (value as { constructor?: { name?: string } }).constructor?.name;
  return `${/^[aeiou]/i.test(name ?? "o") ? "an" : "a"} ${name || "object without a class"}`;
}
