import { closeSync, existsSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../base/folders.ts";
import { NewFile } from "../base/new-file.ts";
import type { Example } from "./dataset.ts";

/** Bytes reserved for the header, whose contents are known only when everything is written. */
const HEADER = 4096;

/** Options of `cachedExamples`. */
export interface CacheOptions {
  /** The cache file. */
  path: string;
  /** What the examples depend on, as plain JSON. The file is written again when it differs from the file's own key. */
  key: unknown;
}

/**
 * Examples that are read from a cache file: `make` makes them once, one at a time. Each example's tokens are read when they
 * are used, so a training can go through more tokens than memory holds.
 *
 * The file is a safetensors file with the tokens of all examples end to end, `ends` and `labels`. It is written atomically.
 *
 * @throws RangeError when there is no example, too many tokens, or a key too long for the header
 * @throws Error when the path holds another file, or a truncated cache
 */
export async function cachedExamples(
  { path, key }: CacheOptions,
  make: () => AsyncIterable<Example> | Iterable<Example>,
): Promise<Example[]> {
  const wanted = JSON.stringify(key);
  if (!existsSync(path) || readHeader(path).key !== wanted) await write(path, wanted, make());
  return open(path);
}

async function write(path: string, key: string, examples: AsyncIterable<Example> | Iterable<Example>): Promise<void> {
  makeFolder(dirname(path));
  const ends: number[] = [];
  const labels: number[] = [];
  let end = 0;
  using created = new NewFile(path);
  const file = created.handle;
  let at = 8 + HEADER;
  const append = (values: NodeJS.TypedArray) => {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
    at += bytes.length;
  };
  for await (const { tokens, label } of examples) {
    append(tokens);
    end += tokens.length;
    ends.push(end);
    labels.push(label);
  }
  if (ends.length === 0) throw new RangeError(`${path}: expected at least one example, got none`);
  if (end >= 2 ** 31) {
    throw new RangeError(
      `${path}: a cache holds at most 2^31 - 1 tokens, got ${end}. Split the examples over several.`,
    );
  }
  append(Int32Array.from(ends));
  append(Float32Array.from(labels));
  const part = (dtype: string, length: number, begin: number) => ({
    dtype,
    shape: [length],
    data_offsets: [begin, begin + 4 * length],
  });
  const header = JSON.stringify({
    __metadata__: { format: "halftone examples 1", key },
    tokens: part("I32", end, 0),
    ends: part("I32", ends.length, 4 * end),
    labels: part("F32", ends.length, 4 * (end + ends.length)),
  });
  if (Buffer.byteLength(header) > HEADER) {
    throw new RangeError(`${path}: the key does not fit in the header of ${HEADER} bytes. Pass a hash of it.`);
  }
  const head = Buffer.alloc(8 + HEADER, " ");
  head.writeBigUInt64LE(BigInt(HEADER));
  head.write(header, 8);
  writeSync(file, head, 0, head.length, 0);
  created.commit({ durable: true });
}

function open(path: string): Example[] {
  const { tokens, ends: endsAt, labels: labelsAt } = readHeader(path);
  const source = { file: openSync(path, "r") };
  closing.register(source, source.file);
  const ends = new Int32Array(endsAt.shape[0]!);
  const labels = new Float32Array(labelsAt.shape[0]!);
  read(source.file, ends, endsAt.data_offsets[0]);
  read(source.file, labels, labelsAt.data_offsets[0]);
  return Array.from(ends, (end, i) => {
    const from = i === 0 ? 0 : ends[i - 1]!;
    return {
      label: labels[i]!,
      get tokens() {
        const ids = new Int32Array(end - from);
        read(source.file, ids, tokens.data_offsets[0] + 4 * from);
        return ids;
      },
    };
  });
}

/** Closes a file when none of its examples is reachable. */
const closing = new FinalizationRegistry((file: number) => closeSync(file));

function read(file: number, into: Int32Array | Float32Array, at: number): void {
  const bytes = new Uint8Array(into.buffer);
  for (let done = 0; done < bytes.length; ) {
    const got = readSync(file, bytes, done, bytes.length - done, 8 + HEADER + at + done);
    if (got === 0) throw new Error("The example cache is truncated. Delete the file; it will be written again.");
    done += got;
  }
}

interface Part {
  shape: number[];
  data_offsets: [number, number];
}

function readHeader(path: string): { key: string | undefined } & Record<"tokens" | "ends" | "labels", Part> {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(8 + HEADER);
    const length = readSync(file, head, 0, head.length, 0);
    if (length < head.length || Number(head.readBigUInt64LE()) !== HEADER) return failNotCache(path);
    const { __metadata__: metadata, ...parts } = JSON.parse(head.toString("utf8", 8));
    return metadata?.format === "halftone examples 1" ? { key: metadata.key, ...parts } : failNotCache(path);
  } catch (error) {
    if (error instanceof SyntaxError) return failNotCache(path);
    throw error;
  } finally {
    closeSync(file);
  }
}

function failNotCache(path: string): never {
  throw new Error(`${path} exists but is not an example cache. Choose another path, or delete it.`);
}
