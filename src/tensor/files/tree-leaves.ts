// Converts the leaves of a tree that are not tensors (numbers, text, typed arrays) for a file, and back.
import { isTensor } from "../tree.ts";
import type { AnyTensor } from "../types/tensor.ts";

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

/** A leaf stored in a file's JSON. Numbers that JSON cannot express, and empty lists and objects, are stored as objects. */
export type PlainLeaf =
  | number
  | string
  | boolean
  | null
  | { number: "NaN" | "Infinity" | "-Infinity" | "-0" }
  | { bigint: string }
  | { empty: "list" | "object" };

export interface TreeLeaves {
  tensors: Map<string, AnyTensor>;
  arrays: Map<string, TypedArray>;
  plain: Map<string, PlainLeaf>;
}

/**
 * Every leaf of a tree by its path, "layers.0.weight". A property that is undefined is left out.
 * @throws TypeError naming the path, for a leaf that cannot be saved, or for two leaves with the same path
 */
export function treeLeaves(tree: unknown): TreeLeaves {
  const found: TreeLeaves = { tensors: new Map(), arrays: new Map(), plain: new Map() };
  const ancestors = new Set<object>();
  const add = <T>(kind: Map<string, T>, path: string, leaf: T) => {
    if (Object.values(found).some((leaves: Map<string, unknown>) => leaves.has(path)))
      throw new TypeError(`save: two leaves of the tree have the path ${path}; rename one`);
    kind.set(path, leaf);
  };
  const branch = (children: [string | number, unknown][], kind: "list" | "object", parent: object, path: string) => {
    if (ancestors.has(parent)) throw new TypeError(`save: ${path || "the tree"} contains itself`);
    if (children.length === 0) add(found.plain, path, { empty: kind });
    // The path of such a property would be that of the tree itself.
    if (path === "" && children.some(([key]) => key === ""))
      throw new TypeError("save: a property of the tree has an empty name; rename it");
    ancestors.add(parent);
    for (const [key, child] of children) visit(child, path === "" ? `${key}` : `${path}.${key}`);
    ancestors.delete(parent);
  };
  const visit = (value: unknown, path: string): void => {
    const array = typedArrayOf(value);
    const plain = plainOf(value);
    if (isTensor(value)) add(found.tensors, path, value);
    else if (array) add(found.arrays, path, array);
    else if (plain !== undefined) add(found.plain, path, plain);
    else if (Array.isArray(value)) branch([...value.entries()], "list", value, path);
    else if (isPlainObject(value)) {
      const set = Object.entries(value).filter(([, child]) => child !== undefined);
      branch(set, "object", value, path);
    } else
      throw new TypeError(
        `save: ${path || "the tree"} is ${kindName(value)}, which cannot be saved. A tree may contain tensors, typed arrays, numbers, ` +
          "text, booleans and null, in plain objects and arrays",
      );
  };
  visit(tree, "");
  return found;
}

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
