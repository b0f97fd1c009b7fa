import { copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, symlinkSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "../../base/folders.ts";
import { UserError } from "../../base/user-error.ts";
import { type Device, lacksGlibc } from "../machine.ts";
import { cacheFolder, libraryFolder, nativeFolder } from "./cache.ts";
import { bindingFile, compile } from "./compiler.ts";
import { clearDownloads, downloadWheel, keptWheel } from "./download.ts";
import { fault, readManifest, writeManifest } from "./manifest.ts";
import { prebuiltFile } from "./prebuilt.ts";
import type { Progress } from "./progress.ts";
import { findPython, type Python } from "./python.ts";
import { bindingSources, type Recipe, recipeFor } from "./recipe.ts";
import { lastLine, runTool } from "./run-tool.ts";
import { unpack } from "./unpack.ts";
import { tensorflowVersion, type Wheel } from "./wheels.ts";
import { withLock } from "./with-lock.ts";
import { provideCompiler } from "./zig.ts";

const unfinished = ".build-";

/**
 * Finds the native library for a device in the user's cache, or builds it there: download, unpack, compile, try.
 * A second caller waits for the first. If it is killed, the next call resumes from the last complete download.
 * Returns the library's folder; throws `UserError` when something on this machine is missing.
 */
export async function provision(device: Device, progress: Progress, signal?: AbortSignal): Promise<string> {
  const recipe = recipeFor(device);
  const folder = libraryFolder(recipe.key);
  if (await isSound(folder, progress)) return folder;
  const waits = (pid: string) => progress.step(`Another setup is running (process ${pid}); waiting for it`);
  await withLock(cacheFolder(), waits, () =>
    explained(async () => {
      if (!(await isSound(folder))) await build(recipe, folder, progress, signal);
    }),
  );
  return folder;
}

async function isSound(folder: string, progress?: Progress): Promise<boolean> {
  const manifest = readManifest(folder);
  if (!manifest) return false;
  const wrong = await fault(folder, manifest);
  if (wrong) progress?.step(`The cached library is damaged (${wrong}); building it again`);
  return !wrong;
}

async function build(recipe: Recipe, folder: string, progress: Progress, signal?: AbortSignal): Promise<void> {
  makeFolder(nativeFolder());
  clearLeftovers();
  const python = findTools();
  const prebuilt = prebuiltFile("binding", bindingSources(recipe));
  const compiler = prebuilt ? undefined : await provideCompiler(progress, signal);
  await checkSpace(recipe);
  const work = mkdtempSync(path.join(nativeFolder(), unfinished));
  try {
    for (const wheel of recipe.wheels) {
      const file = (await keptWheel(wheel)) ?? (await fetchWheel(python, wheel, progress, signal));
      progress.step(`Unpacking ${wheel.project} (about ${duration(wheel.bytes / 30e6)})`);
      await unpack(python, wheel, file, work, (done) => progress.share(done), signal);
    }
    for (const [link, to] of Object.entries(recipe.links ?? {})) symlinkSync(to, path.join(work, link));
    if (prebuilt) {
      progress.step("Using the compiled binding of a package");
      copyFileSync(prebuilt, path.join(work, bindingFile));
    } else if (compiler) {
      progress.step("Compiling the binding (about 15 s)");
      await compile(compiler, recipe, work, signal);
    }
    rmSync(path.join(work, "tensorflow/include"), { recursive: true });
    progress.step("Testing the library");
    await tryLoading(path.join(work, bindingFile), signal);
    await writeManifest(work, { tensorflow: tensorflowVersion, device: recipe.device });
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What setups that were killed have left. */
function clearLeftovers(): void {
  for (const name of readdirSync(nativeFolder()).filter((name) => name.startsWith(unfinished)))
    rmSync(path.join(nativeFolder(), name), { recursive: true, force: true });
  clearDownloads();
}

function findTools(): Python {
  if (lacksGlibc())
    throw new UserError(
      "TensorFlow's library needs glibc, which this Linux (musl) does not have: use a Debian-like one.",
      1,
    );
  const python = findPython();
  if (!python) throw new UserError("Python 3 is missing: install it with pip (Debian: apt install python3-pip).", 1);
  return python;
}

async function checkSpace(recipe: Recipe): Promise<void> {
  let needed = recipe.unpacked;
  for (const wheel of recipe.wheels) if (!(await keptWheel(wheel))) needed += wheel.bytes;
  const { bavail, bsize } = statfsSync(nativeFolder());
  if (bavail * bsize < needed)
    throw new UserError(
      `The disk is too full: ${nativeFolder()} needs ${gigabytes(needed)}, ${gigabytes(bavail * bsize)} are free. Free some space, or set HALFTONE_CACHE to a folder elsewhere.`,
      1,
    );
}

function fetchWheel(python: Python, wheel: Wheel, progress: Progress, signal?: AbortSignal): Promise<string> {
  if (!python.pip)
    throw new UserError(
      `${python.command} has no pip, which downloads TensorFlow: install it (Debian: apt install python3-pip).`,
      1,
    );
  const size = `${Math.round(wheel.bytes / 1e6)} MB; ${duration(wheel.bytes / 10e6)} at 10 MB/s`;
  progress.step(`Downloading ${wheel.project} ${wheel.version} (${size})`);
  return downloadWheel(python, wheel, (bytes) => progress.share(bytes / wheel.bytes), signal);
}

/** Loads the library in a process of its own: one that this machine's C library cannot take must not take ours down. */
async function tryLoading(binding: string, signal?: AbortSignal): Promise<void> {
  const code = `process.exit(require(${JSON.stringify(binding)}).TF_Version === "${tensorflowVersion}" ? 0 : 1)`;
  const { ok, errorText } = await runTool(process.execPath, ["-e", code], {
    env: { TF_CPP_MIN_LOG_LEVEL: "3" },
    signal,
  });
  if (ok) return;
  const why = /^Error: (.+)$/m.exec(errorText)?.[1] ?? lastLine(errorText);
  throw new UserError(`The library was built, but this machine cannot load it: ${why}`, 1);
}

/** Turns what the file system refuses into what a person can do about it. */
export async function explained(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new UserError(
        `The disk is full at ${cacheFolder()}. Free some space, or set HALFTONE_CACHE to a folder elsewhere.`,
        1,
      );
    if (["EACCES", "EROFS", "EPERM", "ENOTDIR", "EEXIST"].includes(code))
      throw new UserError(
        `The cache ${cacheFolder()} cannot be written (${code}). Make it writable, or set HALFTONE_CACHE to a folder that is.`,
        1,
      );
    throw error;
  }
}

const duration = (seconds: number): string =>
  seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
