import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "../../base/folders.ts";
import { UserError } from "../../base/user-error.ts";
import { require } from "../tfjs/modules.ts";
import { cacheFolder } from "./cache.ts";
import { findCompiler } from "./compiler.ts";
import { compilerError, runTool } from "./run-tool.ts";

/** A Node addon that is compiled from this package's C++ files into the user's cache. */
export interface Addon {
  /** Its name in messages and of its folder in the cache. */
  name: string;
  /** The C++ files and the headers that they include. */
  sources: readonly string[];
  flags: readonly string[];
  /** Libraries to link, of which the addon uses a stable interface. */
  libraries?: readonly string[];
}

/** Where the addon is, or will be: a hash over all that decides what it is. */
export function addonFile({ name, sources, flags }: Addon): string {
  const hash = createHash("sha256").update(JSON.stringify([process.platform, process.arch, flags]));
  for (const source of sources) hash.update(readFileSync(source));
  return path.join(cacheFolder(), name, `${hash.digest("hex").slice(0, 16)}.node`);
}

/** The addon that `halftone setup` built, or the reason why it cannot be loaded. */
export function loadAddon<T>(addon: Addon): { addon: T } | { fault: string } {
  try {
    const file = addonFile(addon);
    if (!existsSync(file)) return { fault: `the ${addon.name} ${verb(addon)} not set up (${howToSetUp()})` };
    return { addon: require(file) as T };
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

/** Compiles the addon if it is missing. Throws `UserError` when that fails. */
export async function buildAddon(addon: Addon, signal?: AbortSignal): Promise<void> {
  const file = addonFile(addon);
  if (existsSync(file)) return;
  const compiler = findCompiler();
  if (!compiler) throw new UserError("A C++ compiler is missing: install g++ (Debian: apt install g++).", 1);
  makeFolder(path.dirname(file));
  const work = mkdtempSync(path.join(path.dirname(file), ".build-"));
  try {
    const built = path.join(work, "addon.node");
    const headers = path.join(path.dirname(require.resolve("node-api-headers/package.json")), "include");
    const compiled = addon.sources.filter((source) => source.endsWith(".cc"));
    const args = [...addon.flags, `-I${headers}`, ...compiled, ...(addon.libraries ?? []), "-o", built];
    const { ok, errorText } = await runTool(compiler.command, args, { env: { TMPDIR: work }, signal });
    if (!ok || !existsSync(built))
      throw new UserError(`${compiler.command} could not compile the ${addon.name}: ${compilerError(errorText)}`, 1);
    renameSync(built, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
