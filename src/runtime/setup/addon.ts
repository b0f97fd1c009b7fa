import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, renameSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { require } from "../tfjs/modules.ts";
import { cacheFolder } from "./cache.ts";
import { makeCacheEntry } from "./cache-entry.ts";
import { compilerIsMissing, findCompiler, runCompiler } from "./compiler.ts";
import { prebuiltFile } from "./prebuilt.ts";

/** A Node addon that is compiled from this package's C++ files into the user's cache. */
export interface Addon {
  /** For messages, and the name of its folder in the cache. */
  name: string;
  /** The C++ files and the headers that they include. */
  sources: readonly string[];
  flags: readonly string[];
  /** Where the compiled addon lies; a folder of its name in the cache by default. */
  folder?: string;
  /** Libraries to link, of which the addon uses a stable interface. */
  libraries?: readonly string[];
  /** Libraries that are loaded after it call its functions in place of others of the same names. */
  isVisible?: boolean;
}

export interface BuildOptions {
  /** Ends the compilation. */
  signal?: AbortSignal;
  /** Called before the compilation, and not where the addon is there already. */
  onCompile?: () => void;
}

/** Where the addon is, or will be. The name has a hash of the sources, the flags and the platform. */
export function addonFile({ name, sources, flags, folder }: Addon): string {
  const hash = createHash("sha256").update(JSON.stringify([process.platform, process.arch, flags]));
  for (const source of sources) hash.update(readFileSync(source));
  const file = `${hash.digest("hex").slice(0, 16)}.node`;
  const label = name.replaceAll(" ", "-");
  return folder ? path.join(folder, `${label}-${file}`) : path.join(cacheFolder(), label, file);
}

/** The addon that `halftone setup` built, or the reason why it cannot be loaded. */
export function loadAddon<T>(addon: Addon): { addon: T } | { fault: string } {
  try {
    const file = addonFile(addon);
    if (!existsSync(file)) return { fault: `the ${addon.name} ${verb(addon)} not set up (${howToSetUp()})` };
    if (!addon.isVisible) return { addon: require(file) as T };
    const module = { exports: {} as T };
    process.dlopen(module, file, os.constants.dlopen.RTLD_NOW | os.constants.dlopen.RTLD_GLOBAL);
    return { addon: module.exports };
  } catch (error) {
    return {
      fault: `the ${addon.name} could not be loaded: ${error instanceof Error ? error.message.split("\n")[0] : error}`,
    };
  }
}

const verb = ({ name }: Addon): string => (name.endsWith("s") ? "are" : "is");

const howToSetUp = (): string =>
  findCompiler()
    ? "run `halftone setup`"
    : "install a C++ compiler, for example by `apt install g++`, and run `halftone setup`";

/** Puts the addon into the cache if it is missing, from a package that has it or compiled, in one process of several that want it. Throws `UserError` when that fails. */
export async function buildAddon(addon: Addon, options: BuildOptions = {}): Promise<void> {
  const file = addonFile(addon);
  if (existsSync(file)) return;
  await makeCacheEntry(file, async (work) => {
    if (!existsSync(file)) await compileAddon(addon, work, file, options);
  });
}

async function compileAddon(
  addon: Addon,
  work: string,
  file: string,
  { signal, onCompile }: BuildOptions,
): Promise<void> {
  const prebuilt = prebuiltFile(addon.name, addon.sources);
  if (prebuilt) return copyFileSync(prebuilt, file);
  const compiler = findCompiler();
  if (!compiler) throw compilerIsMissing();
  onCompile?.();
  const built = path.join(work, "addon.node");
  const headers = path.join(path.dirname(require.resolve("node-api-headers/package.json")), "include");
  const make = (output: string, args: readonly string[]) =>
    runCompiler(compiler, { what: addon.name, args: [...addon.flags, ...args], output, scratch: work, signal });
  const sources = addon.sources.filter((source) => source.endsWith(".cc"));
  const objects = sources.map((_, i) => path.join(work, `${i}.o`));
  const waiting = sources.entries();
  // Each of them takes the next file until there is none.
  const worker = async () => {
    for (const [i, source] of waiting) await make(objects[i]!, [`-I${headers}`, "-c", source]);
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  await make(built, [...objects, ...(addon.libraries ?? [])]);
  renameSync(built, file);
}
