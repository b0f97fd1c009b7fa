import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import path from "node:path";
import type { StoredArray } from "../../tensor/files/array.ts";
import { dataStart, decodeEntry, decodeHeader, type SafetensorsEntry } from "../../tensor/files/safetensors.ts";
import { readJson } from "./config.ts";

/** The tensors of a folder, of which only the names and shapes have been read. */
export interface Checkpoint extends Disposable {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Reads one tensor. */
  read(name: string): StoredArray;
}

/**
 * Opens the safetensors file of a folder, or the several files that an index names.
 *
 * @throws Error when there is none, one is invalid, or the index names a tensor that its file lacks
 */
export function openCheckpoint(folder: string): Checkpoint {
  const { files, expected } = filesOf(folder);
  const opened: OpenFile[] = [];
  try {
    for (const file of files) opened.push(openFile(path.join(folder, file)));
    const places = new Map<string, { file: OpenFile; entry: SafetensorsEntry; stored: string }>();
    for (const file of opened)
      for (const [stored, entry] of file.entries) places.set(currentName(stored), { file, entry, stored });
    const lost = Object.keys(expected).find((name) => !places.has(currentName(name)));
    if (lost !== undefined)
      throw new Error(`pretrained: ${expected[lost]} lacks ${lost}, which the index of ${folder} has there`);
    return {
      shapes: new Map([...places].map(([name, { entry }]) => [name, entry.shape])),
      read(name) {
        const { file, entry, stored } = places.get(name)!;
        return decodeEntry(stored, entry, bytesOf(file, entry), file.name);
      },
      [Symbol.dispose]: () => close(opened),
    };
  } catch (error) {
    close(opened);
    throw error;
  }
}

/** Checkpoints of the first years name the parameters of norms as TensorFlow does. */
const currentName = (name: string): string =>
  name.replace(/LayerNorm\.(gamma|beta)$/, (_, old: string) => `LayerNorm.${old === "gamma" ? "weight" : "bias"}`);

function filesOf(folder: string): { files: string[]; expected: Record<string, string> } {
  const single = "model.safetensors";
  if (existsSync(path.join(folder, single))) return { files: [single], expected: {} };
  const indexFile = path.join(folder, `${single}.index.json`);
  const index = readJson(indexFile);
  if (!index) {
    const pickle = existsSync(path.join(folder, "pytorch_model.bin"))
      ? ", only pytorch_model.bin, which is not read: save it with transformers as safetensors"
      : "";
    throw new Error(`pretrained: ${folder} has neither ${single} nor ${single}.index.json${pickle}`);
  }
  const map = index.weight_map;
  if (typeof map !== "object" || map === null || !Object.values(map).every((file) => typeof file === "string"))
    throw new TypeError(`pretrained: ${indexFile} has no weight_map of tensors to files`);
  const expected = map as Record<string, string>;
  const files = [...new Set(Object.values(expected))];
  const outside = files.find((file) => path.basename(file) !== file);
  if (outside !== undefined)
    throw new Error(`pretrained: ${indexFile} names ${outside}, which is not a file of its folder`);
  const absent = files.filter((file) => !existsSync(path.join(folder, file)));
  if (absent.length > 0) throw new Error(`pretrained: ${folder} lacks ${absent.join(", ")}, which its index names`);
  return { files, expected };
}

interface OpenFile {
  name: string;
  handle: number;
  /** Where the data begins. */
  start: number;
  entries: ReadonlyMap<string, SafetensorsEntry>;
}

function openFile(name: string): OpenFile {
  const handle = openSync(name, "r");
  try {
    const { size } = fstatSync(handle);
    const start = dataStart(bytesAt(handle, 0, Math.min(64, size)), size, name);
    const { entries } = decodeHeader(bytesAt(handle, 8, start - 8), size - start, name);
    return { name, handle, start, entries };
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

const bytesOf = ({ handle, start }: OpenFile, { data_offsets: [begin, end] }: SafetensorsEntry): Uint8Array =>
  bytesAt(handle, start + begin, end - begin);

/** One call reads less than 2 GiB. */
const MOST = 2 ** 30;

function bytesAt(handle: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = readSync(handle, bytes, done, Math.min(MOST, length - done), position + done);
    if (count === 0)
      throw new Error(`pretrained: the file became shorter while it was read, at byte ${position + done}`);
    done += count;
  }
  return bytes;
}

const close = (files: readonly OpenFile[]): void => {
  for (const { handle } of files) closeSync(handle);
};
