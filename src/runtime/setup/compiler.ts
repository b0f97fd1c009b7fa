import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../base/user-error.ts";
import { cacheFolder } from "./cache.ts";
import { besideTensorflow, libraryNames } from "./linking.ts";
import { bindingFlags, type Recipe } from "./recipe.ts";
import { compilerError, runTool } from "./run-tool.ts";
import { zigVersion } from "./wheels.ts";

export interface Compiler {
  command: string;
  /** What comes before the arguments of a compiler. */
  prefix: readonly string[];
  env: Record<string, string>;
  version: string;
}

/** The C++ compiler: `$CXX`, else the first of g++, clang++ and c++ on the PATH, else the zig that `halftone setup` has put into the cache. */
export function findCompiler(): Compiler | undefined {
  for (const command of [process.env.CXX, "g++", "clang++", "c++"]) {
    if (!command) continue;
    const asked = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (asked.status === 0) return { command, prefix: [], env: {}, version: asked.stdout.split("\n")[0] ?? "" };
  }
  return zigCompiler();
}

export const compilerIsMissing = (): UserError =>
  new UserError("A C++ compiler is missing: install g++ (Debian: apt install g++).", 1);

export const zigFolder = (): string => path.join(cacheFolder(), "zig", zigVersion);

/** The oldest systems that TensorFlow's wheels are for. */
export const zigTarget = (platform: string, arch: string): string =>
  `${arch === "arm64" ? "aarch64" : "x86_64"}-${platform === "darwin" ? "macos.12.0" : "linux-gnu.2.27"}`;

/** The zig in the cache, as a compiler for this machine. */
export function zigCompiler(): Compiler | undefined {
  const command = path.join(zigFolder(), "ziglang/zig");
  const asked = spawnSync(command, ["version"], { encoding: "utf8" });
  if (asked.status !== 0) return undefined;
  const kept = path.join(cacheFolder(), "zig/cache");
  const env = { ZIG_GLOBAL_CACHE_DIR: kept, ZIG_LOCAL_CACHE_DIR: kept };
  // A target of its own keeps zig from choosing instructions that only this processor has.
  const prefix = ["c++", "-target", zigTarget(process.platform, process.arch), "-s"];
  return { command, prefix, env, version: `zig ${asked.stdout.trim()} in ${zigFolder()}` };
}

export const bindingFile = "tfjs_binding.node";

/** Compiles the package's binding in `folder` against the library unpacked there. The folder may be moved afterwards. */
export async function compile(compiler: Compiler, recipe: Recipe, folder: string, signal?: AbortSignal): Promise<void> {
  const sources = readdirSync(recipe.bindingFolder).filter((file) => file.endsWith(".cc"));
  // On macOS a function is bound to the library that has it at this time; so the quick binding's could not come before TensorFlow's. zig cannot link
  // otherwise, and single ops take longer. Compiled packages are linked with libraries that have no functions, which has the same effect.
  const flat = process.platform === "darwin" && compiler.prefix.length === 0 ? ["-Wl,-flat_namespace"] : [];
  const args = [
    ...bindingFlags,
    `-I${recipe.nodeHeaders}`,
    `-I${path.join(folder, "tensorflow/include")}`,
    ...sources.map((file) => path.join(recipe.bindingFolder, file)),
    ...libraryNames().map((name) => path.join(folder, "tensorflow", name)),
    ...besideTensorflow(),
    ...flat,
  ];
  const output = path.join(folder, bindingFile);
  await runCompiler(compiler, { what: "TensorFlow binding", args, output, scratch: folder, signal });
}

interface Compilation {
  /** Its name in messages. */
  what: string;
  args: readonly string[];
  output: string;
  /** A folder for the compiler's own files. */
  scratch: string;
  signal: AbortSignal | undefined;
}

/** Throws `UserError` when the compiler fails or writes no output. */
export async function runCompiler(
  { command, prefix, env }: Compiler,
  { what, args, output, scratch, signal }: Compilation,
): Promise<void> {
  // The compiler's scratch files stay where the result is built: a small /tmp must not matter.
  const options = { env: { TMPDIR: scratch, ...env }, signal };
  const { ok, errorText } = await runTool(command, [...prefix, ...args, "-o", output], options);
  if (ok && existsSync(output)) return;
  throw new UserError(`${command} could not compile the ${what}: ${compilerError(errorText)}`, 1);
}
