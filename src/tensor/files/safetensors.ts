// The safetensors format (github.com/huggingface/safetensors, README): the header's length, a JSON header, the data of all tensors without gaps.

import { sizeOf } from "../../base/shape.ts";
import { standIn } from "../../base/stand-in.ts";
import type { Storage } from "../../runtime/index.ts";
import type { DType } from "../types/shape.ts";
import { fromInt64, fromUint32, type StoredArray, typedFrom, type Values } from "./array.ts";
import type { TypedArray, TypedArrayName } from "./tree-leaves.ts";

const names = { float64: "F64", float32: "F32", bfloat16: "BF16", float16: "F16", int32: "I32", bool: "BOOL" } as const;
const widths: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  U16: 2,
  U32: 4,
  BOOL: 1,
};
const typedNames: Record<TypedArrayName, string> = {
  Float32Array: "F32",
  Float64Array: "F64",
  Int8Array: "I8",
  Int16Array: "I16",
  Int32Array: "I32",
  Uint8Array: "U8",
  Uint8ClampedArray: "U8",
  Uint16Array: "U16",
  Uint32Array: "U32",
  BigInt64Array: "I64",
  BigUint64Array: "U64",
};
/** The reference implementation's limit. It rejects headers made to exhaust memory. */
const longestHeader = 100_000_000;

/** One tensor in a file's header. */
export interface SafetensorsEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

export function encodeSafetensors(
  arrays: ReadonlyMap<string, StoredArray>,
  metadata: Record<string, string> = {},
  typed: ReadonlyMap<string, TypedArray> = new Map(),
): Uint8Array {
  let offset = 0;
  const flat = [...typed].map(([name, values]) => ({
    name,
    entry: { dtype: typedNames[values[Symbol.toStringTag]], shape: [values.length] },
    values,
  }));
  const stored = [...arrays].map(([name, { shape, dtype, storage, values }]) => ({
    name,
    entry: { dtype: names[storage ?? dtype], shape },
    values,
  }));
  const all = [...stored, ...flat];
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  for (const { name, entry, values } of all) {
    if (name === "__metadata__")
      throw new Error(`save: "__metadata__" cannot be the name of a tensor in a safetensors file`);
    header[name] = { ...entry, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  if (json.length > longestHeader)
    throw new RangeError(
      `save: names, numbers and text take ${json.length} bytes, but the format's header holds at most ${longestHeader}: ` +
        "put long lists of numbers into tensors or typed arrays",
    );
  // Padded with spaces, so that the data is aligned.
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + offset).fill(0x20, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  let position = 8 + length;
  for (const { values } of all) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), position);
    position += values.byteLength;
  }
  return bytes;
}

/** The arrays of a file. `asBytes` is given the metadata and names the arrays that are returned as raw bytes. */
export function decodeSafetensors(
  bytes: Uint8Array,
  file: string,
  asBytes: (metadata: Record<string, string>) => ReadonlySet<string> = () => new Set(),
): { arrays: Map<string, StoredArray>; metadata: Record<string, string>; raw: Map<string, Uint8Array> } {
  const start = dataStart(bytes, bytes.length, file);
  const { entries, metadata } = decodeHeader(bytes.subarray(8, start), bytes.length - start, file);
  const wanted = asBytes(metadata);
  const raw = new Map<string, Uint8Array>();
  const data = bytes.subarray(start);
  const arrays = new Map<string, StoredArray>();
  for (const [name, entry] of entries) {
    const own = data.subarray(...entry.data_offsets);
    if (wanted.has(name)) raw.set(name, own);
    else arrays.set(name, decodeEntry(name, entry, own, file));
  }
  return { arrays, metadata, raw };
}

/** Where the data begins in a file of `size` bytes, of which the first are given, eight at least. */
export function dataStart(first: Uint8Array, size: number, file: string): number {
  if (size < 8) throw new Error(`${file}: not a safetensors file: it is too short (${size} bytes)`);
  const length = Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true));
  if (length <= longestHeader && 8 + length <= size) return 8 + length;
  const other = standIn(first.subarray(0, 64));
  if (other) throw new Error(`${file} is not a safetensors file${other}`);
  throw new Error(`${file}: the header should be ${length} bytes long, but the file has ${size} bytes`);
}

/** The entries of a header, in the order of their data, which must cover the `available` bytes without gaps. */
export function decodeHeader(
  header: Uint8Array,
  available: number,
  file: string,
): { entries: Map<string, SafetensorsEntry>; metadata: Record<string, string> } {
  const fail = (why: string): never => {
    throw new Error(`${file}: ${why}`);
  };
  const { __metadata__: metadata = {}, ...found } = readHeader(header, fail);
  const entries = new Map<string, SafetensorsEntry>();
  let covered = 0;
  for (const [name, value] of Object.entries(found).sort((a, b) => start(a[1]) - start(b[1]))) {
    const entry = check(name, value, available, fail);
    const [begin, end] = entry.data_offsets;
    if (begin !== covered) fail(`${name} starts at byte ${begin}, expected ${covered}: the data overlaps or has a gap`);
    covered = end;
    entries.set(name, entry);
  }
  if (covered !== available) fail(`${available - covered} bytes at the end belong to no tensor`);
  return { entries, metadata: metadata as Record<string, string> };
}

const start = (entry: unknown): number => (entry as Partial<SafetensorsEntry> | null)?.data_offsets?.[0] ?? 0;

function readHeader(bytes: Uint8Array, fail: (why: string) => never): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    fail("the header is not valid JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) fail("the header is not a JSON object");
  return header as Record<string, unknown>;
}

const isWhole = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

function check(name: string, value: unknown, available: number, fail: (why: string) => never): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<SafetensorsEntry>;
  const width = widths[dtype as string] ?? fail(`${name} has the dtype ${dtype}, which is not supported`);
  if (!Array.isArray(shape) || !shape.every(isWhole)) fail(`${name} has the invalid shape ${JSON.stringify(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isWhole))
    fail(`${name} has the invalid offsets ${JSON.stringify(offsets)}`);
  const [begin, end] = offsets as [number, number];
  const needed = width * sizeOf(shape as number[]);
  if (end - begin !== needed || end > available)
    fail(`${name} is stored in bytes ${begin} to ${end} of ${available}, but its shape needs ${needed} bytes`);
  return { dtype: dtype!, shape: shape!, data_offsets: [begin, end] };
}

/** The array of an entry, from its bytes. */
export function decodeEntry(
  name: string,
  { dtype, shape }: SafetensorsEntry,
  bytes: Uint8Array,
  file: string,
): StoredArray {
  const read = (): [DType, Values, Storage?] => {
    switch (dtype) {
      case "F32":
        return ["float32", typedFrom(bytes, Float32Array)];
      case "F64":
        return ["float32", typedFrom(bytes, Float64Array), "float64"];
      case "F16":
        return ["float32", typedFrom(bytes, Uint16Array), "float16"];
      case "BF16":
        return ["float32", typedFrom(bytes, Uint16Array), "bfloat16"];
      case "I64":
        return ["int32", fromInt64(typedFrom(bytes, BigInt64Array), name)];
      case "I32":
        return ["int32", typedFrom(bytes, Int32Array)];
      case "I16":
        return ["int32", Int32Array.from(typedFrom(bytes, Int16Array))];
      case "I8":
        return ["int32", Int32Array.from(typedFrom(bytes, Int8Array))];
      case "U32":
        return ["int32", fromUint32(typedFrom(bytes, Uint32Array), name)];
      case "U16":
        return ["int32", Int32Array.from(typedFrom(bytes, Uint16Array))];
      case "U8":
        return ["int32", Int32Array.from(bytes)];
      case "BOOL":
        return ["bool", Uint8Array.from(bytes, (byte) => (byte ? 1 : 0))];
      default:
        throw new Error(`${file}: ${name} has the dtype ${dtype}, which is not supported`);
    }
  };
  const [kind, values, storage] = read();
  return { shape, dtype: kind, ...(storage && { storage }), values };
}
