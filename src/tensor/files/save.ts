import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { unzipSync, zipSync } from "fflate";
import { isTensor, leaves } from "../tree.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { fromTensor, type StoredArray, toTensor } from "./array.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

const kinds = [".npy", ".npz", ".safetensors"] as const;
type Kind = (typeof kinds)[number];

function kindOf(op: string, file: string): Kind {
  const kind = kinds.find((ending) => file.toLowerCase().endsWith(ending));
  if (!kind) throw new Error(`${op}: ${file} must end in ${kinds.join(", ")}, which says its format`);
  return kind;
}

/**
 * Writes a tree of tensors to a file, its format by the ending: ".safetensors", ".npz", or ".npy" for one tensor. A
 * leaf's name is its path: "layers.0.weight". Numbers are written as they are stored, float16, bfloat16 (which only
 * safetensors has) and float64 too. The file appears whole or not at all.
 */
export function save(file: string, tree: unknown): void {
  const kind = kindOf("save", file);
  const arrays = new Map(leaves(tree).map(({ path: name, tensor }) => [name, fromTensor(tensor)]));
  if (arrays.size === 0) throw new TypeError(`save: there is no tensor to write to ${file}`);
  if (kind === ".npy" && !isTensor(tree))
    throw new TypeError(`save: ${file} holds one tensor; use .npz or .safetensors for a tree`);
  writeWhole(file, encode(kind, arrays));
}

function encode(kind: Kind, arrays: ReadonlyMap<string, StoredArray>): Uint8Array {
  if (kind === ".npy") return encodeNpy(arrays.get("")!, "save: the tensor");
  // NumPy's name for an array without one.
  const named = new Map([...arrays].map(([name, array]) => [name || "arr_0", array]));
  if (kind === ".safetensors") return encodeSafetensors(named);
  const files = Object.fromEntries(
    [...named].map(([name, array]) => [`${name}.npy`, encodeNpy(array, `save: ${name}`)]),
  );
  // As numpy.savez, without compression; and with a fixed date, so that the same tensors give the same bytes.
  return zipSync(files, { level: 0, mtime: "1980-01-01T00:00:00" });
}

/** Writes a file that appears whole or not at all. */
export function writeWhole(file: string, bytes: Uint8Array): void {
  const partial = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}`);
  try {
    const handle = openSync(partial, "wx");
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(partial, file);
  } finally {
    rmSync(partial, { force: true });
  }
}

/**
 * The tensors of a file by name, or the one tensor of an ".npy" file; `unflatten` makes the tree again. Floating-point
 * numbers stay stored as in the file (`.to("float32")` makes doubles single); 64-bit whole numbers become int32, with a
 * RangeError where one does not fit.
 */
export function load(file: `${string}.npy`): AnyTensor;
export function load(file: string): Record<string, AnyTensor>;
export function load(file: string): AnyTensor | Record<string, AnyTensor> {
  const kind = kindOf("load", file);
  const bytes = new Uint8Array(readFileSync(file));
  if (kind === ".npy") return toTensor(decodeNpy(bytes, file));
  const arrays = kind === ".npz" ? decodeNpz(bytes, file) : decodeSafetensors(bytes, file).arrays;
  return Object.fromEntries([...arrays].map(([name, array]) => [name, toTensor(array)]));
}

function decodeNpz(bytes: Uint8Array, file: string): Map<string, StoredArray> {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter: ({ name }) => name.endsWith(".npy") });
  } catch (error) {
    throw new Error(`${file}: is no npz file: ${error instanceof Error ? error.message : error}`);
  }
  const entries = Object.entries(files);
  return new Map(entries.map(([name, data]) => [name.slice(0, -4), decodeNpy(data, `${file} (${name})`)]));
}

/** The tree of a flat record such as `load` gives: paths become nested objects, and lists where every key is a number. */
export function unflatten(flat: Readonly<Record<string, AnyTensor>>): unknown {
  type Branch = Map<string, Branch | AnyTensor>;
  const root: Branch = new Map();
  for (const [name, tensor] of Object.entries(flat)) {
    const keys = name.split(".");
    let branch = root;
    for (const key of keys.slice(0, -1)) {
      const next = branch.get(key) ?? new Map();
      if (!(next instanceof Map)) throw new Error(`unflatten: ${name} lies inside another tensor`);
      branch.set(key, next);
      branch = next;
    }
    branch.set(keys.at(-1)!, tensor);
  }
  const grown = (branch: Branch | AnyTensor): unknown => {
    if (!(branch instanceof Map)) return branch;
    const keys = [...branch.keys()];
    const isList = keys.every((key) => /^\d+$/.test(key)) && keys.every((_, i) => branch.has(`${i}`));
    if (isList) return keys.map((_, i) => grown(branch.get(`${i}`)!));
    return Object.fromEntries(keys.map((key) => [key, grown(branch.get(key)!)]));
  };
  return grown(root);
}
