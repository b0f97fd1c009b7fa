import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Numbers that a file keeps under a name. */
export interface StoredArray {
  shape: readonly number[];
  values: Float32Array | Float64Array | Int32Array | Uint8Array;
}

const TYPES = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array } as const;
type TypeName = keyof typeof TYPES;

/**
 * Writes arrays and text to one file in the safetensors format, which Python's `safetensors` reads. The file appears
 * whole or not at all: it is written beside its place, flushed, and moved there.
 *
 * https://github.com/huggingface/safetensors#format
 */
export function writeSafetensors(
  path: string,
  arrays: Readonly<Record<string, StoredArray>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  // Widest numbers first, so that every array begins at a multiple of its own size.
  const inOrder = Object.entries(arrays).sort(
    ([, a], [, b]) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT,
  );
  for (const [name, { shape, values }] of inOrder) {
    const begin = end;
    end += values.byteLength;
    header[name] = { dtype: typeName(values), shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, " ");
  json.copy(padded);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(padded.length));

  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(beside, "w");
    try {
      for (const part of [size, padded, ...inOrder.map(([, { values }]) => bytesOf(values))]) writeWhole(file, part);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/**
 * Reads a safetensors file: its arrays by name, and its text.
 *
 * @throws Error when the file is cut short or holds a type of number that is not kept here
 */
export function readSafetensors(path: string): {
  arrays: Record<string, StoredArray>;
  metadata: Record<string, string>;
} {
  const file = readFileSync(path);
  const size = file.length >= 8 ? Number(file.readBigUInt64LE(0)) : Number.POSITIVE_INFINITY;
  if (!(8 + size <= file.length)) throw new Error(`${path} is no safetensors file, or is cut short`);
  const header = JSON.parse(file.toString("utf8", 8, 8 + size)) as Record<string, unknown>;
  const { __metadata__: metadata = {}, ...entries } = header;
  const arrays: Record<string, StoredArray> = {};
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets } = entry as { dtype: string; shape: number[]; data_offsets: [number, number] };
    const type = TYPES[dtype as TypeName];
    if (!type) throw new Error(`${path} keeps ${name} as ${dtype}; this reads ${Object.keys(TYPES).join(", ")}`);
    const [begin, end] = data_offsets.map((offset) => 8 + size + offset) as [number, number];
    if (end > file.length) throw new Error(`${path} is cut short: ${name} ends at byte ${end} of ${file.length}`);
    const bytes = file.buffer.slice(file.byteOffset + begin, file.byteOffset + end) as ArrayBuffer;
    arrays[name] = { shape, values: new type(bytes) };
  }
  return { arrays, metadata: metadata as Record<string, string> };
}

function typeName(values: StoredArray["values"]): TypeName {
  return (Object.keys(TYPES) as TypeName[]).find((name) => values instanceof TYPES[name])!;
}

function bytesOf({ buffer, byteOffset, byteLength }: StoredArray["values"]): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function writeWhole(file: number, part: Buffer): void {
  for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
}
