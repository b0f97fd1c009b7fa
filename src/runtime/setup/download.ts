import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "../../base/folders.ts";
import { UserError } from "../../base/user-error.ts";
import { wheelFolder } from "./cache.ts";
import { sha256 } from "./manifest.ts";
import type { Python } from "./python.ts";
import { lastLine, runTool } from "./run-tool.ts";
import type { Wheel } from "./wheels.ts";

const partial = ".download-";

/** The wheel's file in the cache, if it is there and whole. */
export async function keptWheel(wheel: Wheel): Promise<string | undefined> {
  const file = path.join(wheelFolder(), wheel.file);
  if (statSync(file, { throwIfNoEntry: false })?.size !== wheel.bytes) return undefined;
  return (await sha256(file)) === wheel.sha256 ? file : undefined;
}

/** Removes what downloads that were killed have left. Call it only while no other setup runs. */
export function clearDownloads(): void {
  if (!statSync(wheelFolder(), { throwIfNoEntry: false })) return;
  for (const name of readdirSync(wheelFolder()).filter((name) => name.startsWith(partial)))
    rmSync(path.join(wheelFolder(), name), { recursive: true, force: true });
}

/** Downloads a wheel into the cache, checked by its hash. `onBytes` hears how much there is, about once a second. */
export async function downloadWheel(
  python: Python,
  wheel: Wheel,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const folder = wheelFolder();
  makeFolder(folder);
  const work = mkdtempSync(path.join(folder, partial));
  // pip writes the download to its temporary folder first: that folder's growth is the progress, whatever pip's version.
  const watch = setInterval(() => onBytes(bytesUnder(work)), 1000);
  try {
    const requirements = path.join(work, "requirements.txt");
    writeFileSync(requirements, `${wheel.project}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
    const [command = "", ...prefix] = python.pipCommand;
    const args = [...prefix, "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"];
    args.push("--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--python-version", "3.11");
    for (const tag of platformTags(wheel.file)) args.push("--platform", tag);
    args.push("--dest", work, "-r", requirements);
    const { ok, errorText } = await runTool(command, args, { env: { TMPDIR: work }, signal });
    const done = path.join(work, wheel.file);
    if (!ok || !statSync(done, { throwIfNoEntry: false })) throw new UserError(explain(errorText, wheel), 1);
    const kept = path.join(folder, wheel.file);
    renameSync(done, kept);
    return kept;
  } finally {
    clearInterval(watch);
    rmSync(work, { recursive: true, force: true });
  }
}

/** The platforms in a wheel's file name, as in `name-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl`. */
const platformTags = (file: string): string[] =>
  file
    .replace(/\.whl$/, "")
    .split("-")
    .at(-1)
    ?.split(".") ?? [];

function bytesUnder(folder: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile())
        bytes += statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // A folder that pip has just removed: the next look counts again.
  }
  return bytes;
}

function explain(errorText: string, wheel: Wheel): string {
  const what = `pip could not download ${wheel.project} ${wheel.version} (${Math.round(wheel.bytes / 1e6)} MB)`;
  if (/No space left|Errno 28/i.test(errorText))
    return `${what}: the disk is full. Free some space, or set HALFTONE_CACHE to a folder elsewhere, and run \`halftone setup\` again.`;
  if (/HASHES|do not match/i.test(errorText))
    return `${what}: the package index sent a file with another hash. Check the index that pip is set to.`;
  if (
    /Proxy|NewConnection|Name or service|name resolution|ConnectTimeout|ConnectionError|Retrying|unreachable|versions: none/i.test(
      errorText,
    )
  )
    return `${what}: the package index is out of reach, or is one that does not have it. Check the network, or set PIP_INDEX_URL to a mirror, and run \`halftone setup\` again.`;
  return `${what}: ${/^ERROR: (.+)$/m.exec(errorText)?.[1] ?? lastLine(errorText)}`;
}
