import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, statSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { cacheFolder, libraryFolder, nativeFolder, wheelFolder } from "./cache.ts";
import { bindingFile, compile, findCompiler } from "./compiler.ts";
import { alone } from "./lock.ts";
import type { Device } from "./machine.ts";
import { fault, readManifest, sha256, writeManifest } from "./manifest.ts";
import { SetupProblem } from "./problem.ts";
import { download, findPython, type Python, unpack } from "./python.ts";
import { type Recipe, recipeFor, tensorflowVersion, type Wheel } from "./recipe.ts";

/** Hears what goes on: one line a step, and between them how far a long step is (0 to 1). */
export interface Progress {
  step(line: string): void;
  share(done: number): void;
}

/**
 * Finds the native library for a device in the user's cache, or builds it there: download, unpack, compile, try.
 * A second caller waits for the first. Killed at any point, the next call goes on from the last whole step.
 * Returns the library's folder; throws `SetupProblem` when something on this machine is missing.
 */
export async function provision(device: Device, progress: Progress): Promise<string> {
  const recipe = recipeFor(device);
  const folder = libraryFolder(recipe.key);
  if (await isSound(folder, progress)) return folder;
  const waits = (pid: string) => progress.step(`Another setup (process ${pid}) is at work; waiting for it`);
  return alone(cacheFolder(), waits, async () => {
    if (await isSound(folder, progress)) return folder;
    await withDiskErrors(() => build(recipe, folder, progress));
    return folder;
  });
}

async function isSound(folder: string, progress: Progress): Promise<boolean> {
  const manifest = readManifest(folder);
  if (!manifest) return false;
  const wrong = await fault(folder, manifest);
  if (wrong) progress.step(`The cached library is damaged (${wrong}); building it again`);
  return !wrong;
}

async function build(recipe: Recipe, folder: string, progress: Progress): Promise<void> {
  const python = findPython();
  if (!python) throw new SetupProblem("Python 3 is missing: install it with pip (Debian: apt install python3-pip).");
  const compiler = findCompiler();
  if (!compiler) throw new SetupProblem("A C++ compiler is missing: install g++ (Debian: apt install g++).");

  mkdirSync(nativeFolder(), { recursive: true });
  for (const stale of readdirSync(nativeFolder()).filter((name) => name.startsWith(".build-")))
    rmSync(path.join(nativeFolder(), stale), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });

  const work = mkdtempSync(path.join(nativeFolder(), ".build-"));
  try {
    for (const wheel of recipe.wheels) {
      const file = await fetchWheel(python, wheel, progress);
      progress.step(`Unpacking ${wheel.project} (about ${seconds(wheel.bytes / 30e6)})`);
      await unpack(python, wheel, file, work, (done, total) => progress.share(done / total));
    }
    progress.step("Compiling the binding (about 15 s)");
    await compile(compiler, recipe, work);
    rmSync(path.join(work, "tensorflow/include"), { recursive: true });
    progress.step("Trying the library");
    await tryLoading(path.join(work, bindingFile));
    await writeManifest(work, { tensorflow: tensorflowVersion, device: recipe.device });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The wheel in the cache when its hash is right, else a fresh download. */
async function fetchWheel(python: Python, wheel: Wheel, progress: Progress): Promise<string> {
  const kept = path.join(wheelFolder(), wheel.file);
  if (statSync(kept, { throwIfNoEntry: false })?.size === wheel.bytes && (await sha256(kept)) === wheel.sha256)
    return kept;
  rmSync(kept, { force: true });
  if (!python.pip)
    throw new SetupProblem(
      `${python.command} has no pip, which downloads TensorFlow: install it (Debian: apt install python3-pip).`,
    );
  for (const stale of leftDownloads()) rmSync(stale, { recursive: true, force: true });
  const megabytes = Math.round(wheel.bytes / 1e6);
  progress.step(
    `Downloading ${wheel.project} ${wheel.version} (${megabytes} MB; ${seconds(wheel.bytes / 10e6)} at 10 MB/s)`,
  );
  return download(python, wheel, wheelFolder(), (bytes) => progress.share(bytes / wheel.bytes));
}

function leftDownloads(): string[] {
  const folder = wheelFolder();
  if (!statSync(folder, { throwIfNoEntry: false })) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(".download-"))
    .map((name) => path.join(folder, name));
}

/** Loads the library in a process of its own: one that this machine's C library cannot take must not take ours down. */
async function tryLoading(binding: string): Promise<void> {
  const code = `process.stdout.write(String(require(${JSON.stringify(binding)}).TF_Version))`;
  try {
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3" };
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", code], { env, timeout: 120_000 });
    if (stdout !== tensorflowVersion) throw new Error(`it says that it is TensorFlow ${stdout}`);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const why = /^(?:Error: )(.+)$/m.exec(said)?.[1] ?? said.split("\n")[0];
    throw new SetupProblem(`The library was built but does not load here: ${why}`);
  }
}

async function withDiskErrors(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new SetupProblem(
        `The disk is full (${freeGigabytes()} GB free at ${cacheFolder()}). Free 1.5 GB, or set HALFTONE_CACHE to a folder elsewhere.`,
      );
    if (code === "EACCES" || code === "EROFS" || code === "EPERM" || code === "ENOTDIR")
      throw new SetupProblem(
        `The cache ${cacheFolder()} cannot be written (${code}). Make it writable, or set HALFTONE_CACHE to a folder that is.`,
      );
    throw error;
  }
}

function freeGigabytes(): string {
  const { bavail, bsize } = statfsSync(nativeFolder());
  return ((bavail * bsize) / 1e9).toFixed(1);
}

const seconds = (count: number): string => (count < 60 ? `${Math.ceil(count)} s` : `${Math.ceil(count / 60)} min`);
