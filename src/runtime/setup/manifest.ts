import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import * as v from "valibot";

/** The files of a finished library. It is written last, so a folder that has a manifest is complete. */
const manifestSchema = v.object({
  tensorflow: v.string(),
  device: v.picklist(["cpu", "gpu"]),
  /** Path inside the folder to size in bytes, time of change in milliseconds, and sha256. */
  files: v.record(v.string(), v.object({ bytes: v.number(), changed: v.number(), sha256: v.string() })),
});
export type Manifest = v.InferOutput<typeof manifestSchema>;

const manifestFile = (folder: string): string => path.join(folder, "manifest.json");

export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

export async function writeManifest(folder: string, about: Omit<Manifest, "files">): Promise<void> {
  const manifest: Manifest = { ...about, files: {} };
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    const { size, mtimeMs } = statSync(file);
    manifest.files[path.relative(folder, file)] = { bytes: size, changed: mtimeMs, sha256: await sha256(file) };
  }
  writeFileSync(manifestFile(folder), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The folder's manifest, or undefined where there is no finished library. */
export function readManifest(folder: string): Manifest | undefined {
  try {
    return v.parse(manifestSchema, JSON.parse(readFileSync(manifestFile(folder), "utf8")));
  } catch {
    return undefined;
  }
}

/** Checks the files' sizes and times only, which is fast. Returns the first fault, or undefined. */
export function quickFault(folder: string, manifest: Manifest): string | undefined {
  for (const [name, { bytes, changed }] of Object.entries(manifest.files)) {
    const found = statSync(path.join(folder, name), { throwIfNoEntry: false });
    if (!found) return `${name} is missing`;
    if (found.size !== bytes) return `${name} has ${found.size} bytes instead of ${bytes}`;
    if (Math.abs(found.mtimeMs - changed) > 1) return `${name} was changed after it was built`;
  }
  return undefined;
}

/**
 * Checks the files' contents. Returns the first fault, or undefined. Files whose time alone has changed, for instance in a copy of the
 * cache, get their recorded time back, so that `quickFault` passes again.
 */
export async function fault(folder: string, manifest: Manifest): Promise<string | undefined> {
  for (const [name, { bytes, changed, sha256: expected }] of Object.entries(manifest.files)) {
    const file = path.join(folder, name);
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) return `${name} is missing`;
    if (found.size !== bytes) return `${name} has ${found.size} bytes instead of ${bytes}`;
    if ((await sha256(file)) !== expected) return `${name} does not have the contents that it was built with`;
    if (Math.abs(found.mtimeMs - changed) > 1) utimesSync(file, found.atime, changed / 1000);
  }
  return undefined;
}
