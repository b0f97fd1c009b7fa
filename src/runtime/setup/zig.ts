import { existsSync, renameSync } from "node:fs";
import { UserError } from "../../base/user-error.ts";
import { makeCacheEntry } from "./cache-entry.ts";
import { type Compiler, compilerIsMissing, findCompiler, zigFolder } from "./compiler.ts";
import { downloadWheel, keptWheel } from "./download.ts";
import type { Progress } from "./progress.ts";
import { findPython } from "./python.ts";
import { unpack } from "./unpack.ts";
import { zigWheels } from "./wheels.ts";

/** zig's wheel for this machine, unpacked into the cache once. Throws `UserError` where there is none, or no pip. */
export async function provideZig(progress: Progress, signal?: AbortSignal): Promise<void> {
  const wheel = zigWheels[`${process.platform} ${process.arch}`];
  const python = findPython();
  if (!wheel || !python?.pip) throw compilerIsMissing();
  const folder = zigFolder();
  if (existsSync(folder)) return;
  await makeCacheEntry(folder, async (work) => {
    if (existsSync(folder)) return;
    const size = `${Math.round(wheel.bytes / 1e6)} MB, unpacked 340 MB`;
    progress.step(`Downloading zig ${wheel.version}, a C++ compiler (${size})`);
    const told = (bytes: number) => progress.share(bytes / wheel.bytes);
    const file = (await keptWheel(wheel)) ?? (await downloadWheel(python, wheel, told, signal));
    await unpack(python, wheel, file, work, (done) => progress.share(done), signal);
    renameSync(work, folder);
  });
}

/** The C++ compiler of this machine, else zig. Throws `UserError` where there is neither. */
export async function provideCompiler(progress: Progress, signal?: AbortSignal): Promise<Compiler> {
  const found = findCompiler();
  if (found) return found;
  progress.step("No C++ compiler was found (Debian: apt install g++); zig compiles in its place");
  await provideZig(progress, signal);
  const compiler = findCompiler();
  if (!compiler)
    throw new UserError(
      "A C++ compiler is missing, and zig does not run here: install g++ (Debian: apt install g++).",
      1,
    );
  progress.step("zig takes some minutes the first time, because it compiles its C++ library");
  return compiler;
}
