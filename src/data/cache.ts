import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../base/folders.ts";
import type { Example } from "./dataset.ts";

/** Bytes kept free for the header, which is known only when everything is written. */
const HEADER = 4096;

export interface CacheOptions {
  /** The file. */
  path: string;
  /** What the examples depend on: other contents of it make the file anew. Plain JSON. */
  key: unknown;
}

/**
 * Examples that live in a file: made by `make` once, one at a time, and read from the file from then on, each when its tokens are asked
 * for. So a training can go through more tokens than memory has room for.
 *
 * The file is a safetensors file: `tokens` of all examples end to end, `ends`, `labels`. It appears whole or not at all.
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
  const beside = `${path}.${process.pid}.tmp`;
  const ends: number[] = [];
  const labels: number[] = [];
  let end = 0;
  const file = openSync(beside, "w");
  try {
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
    if (ends.length === 0) throw new RangeError(`no examples for ${path}`);
    if (end >= 2 ** 31) throw new RangeError(`${end} tokens are more than one cache holds: split them over several`);
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
    if (Buffer.byteLength(header) > HEADER) throw new RangeError(`the key of ${path} is too long: hash it`);
    const head = Buffer.alloc(8 + HEADER, " ");
    head.writeBigUInt64LE(BigInt(HEADER));
    head.write(header, 8);
    writeSync(file, head, 0, head.length, 0);
    fsyncSync(file);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
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
        const own = new Int32Array(end - from);
        read(source.file, own, tokens.data_offsets[0] + 4 * from);
        return own;
      },
    };
  });
}

/** A file is closed when none of its examples can be reached any more. */
const closing = new FinalizationRegistry((file: number) => closeSync(file));

function read(file: number, into: Int32Array | Float32Array, at: number): void {
  const bytes = new Uint8Array(into.buffer);
  for (let done = 0; done < bytes.length; ) {
    const got = readSync(file, bytes, done, bytes.length - done, 8 + HEADER + at + done);
    if (got === 0) throw new Error("the file of examples is cut short: remove it, and it is made anew");
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
    if (length < head.length || Number(head.readBigUInt64LE()) !== HEADER) return notOurs(path);
    const { __metadata__: metadata, ...parts } = JSON.parse(head.toString("utf8", 8));
    return metadata?.format === "halftone examples 1" ? { key: metadata.key, ...parts } : notOurs(path);
  } catch (error) {
    if (error instanceof SyntaxError) return notOurs(path);
    throw error;
  } finally {
    closeSync(file);
  }
}

function notOurs(path: string): never {
  throw new Error(`${path} is there and is no cache of examples: choose another path`);
}
