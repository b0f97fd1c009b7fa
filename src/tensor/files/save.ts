import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { unzipSync, zipSync } from "fflate";
import * as v from "valibot";
import { refusing } from "../../base/files.ts";
import { makeFolder } from "../../base/folders.ts";
import { recordOf } from "../../base/json-schema.ts";
import { NewFile } from "../../base/new-file.ts";
import { isTensor } from "../tree.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { fromTensor, type StoredArray, toTensor } from "./array.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import {
  leafFrom,
  type PlainLeaf,
  type SavedLeaf,
  type TreeLeaves,
  treeLeaves,
  typedArrayFrom,
} from "./tree-leaves.ts";
import { plainStructure, structureOf, type TreeStructure, withStructure } from "./tree-structure.ts";

const kinds = [".npy", ".npz", ".safetensors"] as const;
type Kind = (typeof kinds)[number];

function kindOf(op: string, file: string): Kind {
  const kind = kinds.find((ending) => file.toLowerCase().endsWith(ending));
  if (!kind) throw new Error(`${op}: the name of ${file} must end in ${kinds.join(", ")}`);
  return kind;
}

/** Here and not beside the type, so that the declarations do not bring valibot's into every user's program. */
const plainLeaf: v.GenericSchema<PlainLeaf> = v.union([
  v.number(),
  v.string(),
  v.boolean(),
  v.null(),
  v.strictObject({ number: v.picklist(["NaN", "Infinity", "-Infinity", "-0"]) }),
  v.strictObject({ bigint: v.pipe(v.string(), v.regex(/^-?\d+$/)) }),
  v.strictObject({ empty: v.picklist(["list", "object"]) }),
]);

/** The metadata entry of a safetensors file that describes its leaves other than tensors. */
const LEAVES = "halftone.leaves";
const leavesOfFile = v.object({
  plain: recordOf(plainLeaf),
  typed: recordOf(v.string()),
  /** How they make a tree; absent in files whose names tell it. */
  structure: v.optional(v.object({ keys: recordOf(v.array(v.string())), objects: v.array(v.array(v.string())) })),
});

/**
 * Writes a tree of tensors of any shape to a file. The extension gives the format: ".safetensors", ".npz", or ".npy" for one
 * tensor. A leaf's name is its path: "layers.0.weight". Numbers keep their storage type: float16, float64, and bfloat16 (in
 * safetensors only). The file is written atomically, and its folder is made.
 *
 * A safetensors file also stores numbers, strings, booleans, null and typed arrays, so that `optimizer.stateDict()` is a part of one.
 * `unflatten(load(file))` is the same tree. An npz file stores the names only, and keys with dots become nested. A record that `load`
 * gave is written as the tree that it was read from.
 *
 * @throws TypeError for a leaf that the format cannot store, `undefined` among them, with its path, or a tree without tensors
 * @throws Error for another extension
 */
export function save(file: string, tree: unknown): void {
  const kind = kindOf("save", file);
  const found = treeLeaves(tree);
  if (found.tensors.size + found.arrays.size === 0 && isLeaf(found))
    throw new TypeError(`save: expected at least one tensor to write to ${file}, got none`);
  if (kind === ".npy" && !isTensor(tree))
    throw new TypeError(`save: a .npy file (${file}) stores one tensor; use .npz or .safetensors for a tree`);
  const other = [...found.arrays.keys(), ...found.plain.keys()][0];
  if (kind === ".npz" && other !== undefined)
    throw new TypeError(`save: ${other} is not a tensor, and ${file} stores only tensors; use .safetensors`);
  writeDurably(file, encode(kind, found, structureOf(tree) ?? found.structure));
}

/** True of a tree that is one number or text, or empty. */
const isLeaf = ({ plain }: TreeLeaves): boolean => plain.size === 0 || plain.has("");

function encode(kind: Kind, { tensors, arrays: typed, plain }: TreeLeaves, structure: TreeStructure): Uint8Array {
  const arrays = new Map([...tensors].map(([name, tensor]) => [name, fromTensor(tensor, name)]));
  if (kind === ".npy") return encodeNpy(arrays.get("")!, "save: the tensor");
  // NumPy's name for an array without one.
  const named = <T>(all: ReadonlyMap<string, T>) => new Map([...all].map(([name, array]) => [name || "arr_0", array]));
  if (kind === ".safetensors") {
    const kinds = Object.fromEntries([...named(typed)].map(([name, array]) => [name, array[Symbol.toStringTag]]));
    const keys = Object.fromEntries(named(new Map(Object.entries(structure.keys))));
    const isTold = Object.keys(keys).length + structure.objects.length > 0;
    const leaves: v.InferOutput<typeof leavesOfFile> = {
      plain: Object.fromEntries(plain),
      typed: kinds,
      ...(isTold ? { structure: { keys, objects: structure.objects } } : {}),
    };
    const isNeeded = typed.size + plain.size > 0 || isTold;
    const metadata: Record<string, string> = isNeeded ? { [LEAVES]: JSON.stringify(leaves) } : {};
    return encodeSafetensors(named(arrays), metadata, named(typed));
  }
  const files = Object.fromEntries(
    [...named(arrays)].map(([name, array]) => [`${name}.npy`, encodeNpy(array, `save: ${name}`)]),
  );
  // As numpy.savez, without compression; and with a fixed date, so that the same tensors give the same bytes.
  return zipSync(files, { level: 0, mtime: "1980-01-01T00:00:00" });
}

/** Writes a file that appears whole or not at all, also when the power fails. Creates its folder if it does not exist. */
export function writeDurably(file: string, bytes: Uint8Array): void {
  const write = () => {
    makeFolder(path.dirname(file));
    using created = new NewFile(file);
    writeFileSync(created.handle, bytes);
    created.commit({ durable: true });
  };
  refusing(file, write, "choose another path");
}

/**
 * Reads the tensor of an ".npy" file, in any shape. Floating-point numbers keep their storage type, integers become int32.
 *
 * @throws RangeError for a 64-bit integer outside int32; Error for an invalid file
 */
export function load(file: `${string}.npy`): AnyTensor;
/**
 * Reads the leaves of a ".safetensors" or ".npz" file by name; `unflatten` gives the tree. Tensors have any shape;
 * floating-point numbers keep their storage type (`.to("float32")` converts), and integers become int32.
 *
 * Numbers, strings and typed arrays that `save` wrote are restored; for such a file use `load<SavedLeaf>(file)`.
 *
 * @throws RangeError for a 64-bit integer outside int32; Error for an invalid file or another extension
 */
export function load<Leaf extends SavedLeaf = AnyTensor>(file: string): Record<string, Leaf>;
export function load(file: string): AnyTensor | Record<string, SavedLeaf> {
  const kind = kindOf("load", file);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`load: ${file} is a folder; give the name of a file in it`);
  const bytes = new Uint8Array(readFileSync(file));
  if (kind === ".npy") return toTensor(decodeNpy(bytes, file));
  if (kind === ".safetensors") return loadSafetensors(bytes, file);
  const leaves = Object.fromEntries([...decodeNpz(bytes, file)].map(([name, array]) => [name, toTensor(array)]));
  return withStructure(leaves, plainStructure);
}

function loadSafetensors(bytes: Uint8Array, file: string): Record<string, SavedLeaf> {
  let leaves: v.InferOutput<typeof leavesOfFile> = { plain: {}, typed: {} };
  const { arrays, raw } = decodeSafetensors(bytes, file, (metadata) => {
    const text = metadata[LEAVES];
    if (text !== undefined) leaves = readLeaves(text, file);
    return new Set(Object.keys(leaves.typed));
  });
  const typed = [...raw].map(([name, data]): [string, SavedLeaf] => {
    const array = typedArrayFrom(leaves.typed[name]!, data);
    if (!array) throw new Error(`${file}: ${name} has the unknown typed array type ${leaves.typed[name]}`);
    return [name, array];
  });
  const plain = Object.entries(leaves.plain).map(([name, leaf]): [string, SavedLeaf] => [name, leafFrom(leaf)]);
  const tensors = [...arrays].map(([name, array]): [string, SavedLeaf] => [name, toTensor(array)]);
  return withStructure(Object.fromEntries([...tensors, ...typed, ...plain]), leaves.structure ?? plainStructure);
}

function readLeaves(text: string, file: string): v.InferOutput<typeof leavesOfFile> {
  try {
    return v.parse(leavesOfFile, JSON.parse(text));
  } catch (error) {
    throw new Error(`${file}: its metadata ${LEAVES} cannot be read`, { cause: error });
  }
}

function decodeNpz(bytes: Uint8Array, file: string): Map<string, StoredArray> {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter: ({ name }) => name.endsWith(".npy") });
  } catch (error) {
    throw new Error(`${file} is not an npz file: ${error instanceof Error ? error.message : error}`);
  }
  const entries = Object.entries(files);
  return new Map(entries.map(([name, data]) => [name.slice(0, -4), decodeNpy(data, `${file} (${name})`)]));
}
