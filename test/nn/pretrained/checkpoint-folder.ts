// Copies of the fixtures' checkpoints that differ from them.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { StoredArray } from "../../../src/tensor/files/array.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../src/tensor/files/safetensors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fixtureFolder } from "./fixture.ts";

/** A copy of a fixture's checkpoint. */
export function copyOf(name: string): string {
  const folder = temporaryFolder();
  cpSync(fixtureFolder(name), folder, { recursive: true });
  return folder;
}

/** A copy whose config, or another JSON file, has other values; undefined removes one. */
export function withConfig(name: string, values: Record<string, unknown>, file = "config.json"): string {
  const folder = copyOf(name);
  const config = JSON.parse(readFileSync(path.join(folder, file), "utf8")) as object;
  writeFileSync(path.join(folder, file), JSON.stringify({ ...config, ...values }));
  return folder;
}

/** The arrays of a folder's safetensors file. */
export const arraysIn = (folder: string, file = "model.safetensors"): Map<string, StoredArray> =>
  decodeSafetensors(readFileSync(path.join(folder, file)), file).arrays;

/** A copy whose tensors were changed. */
export function withTensors(name: string, change: (arrays: Map<string, StoredArray>) => void): string {
  const folder = copyOf(name);
  const arrays = arraysIn(folder);
  change(arrays);
  writeFileSync(path.join(folder, "model.safetensors"), encodeSafetensors(arrays));
  return folder;
}
