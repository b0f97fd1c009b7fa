import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder } from "../base/folders.ts";
import { UserError } from "../base/user-error.ts";
import type { FinalizerAddon } from "./finalizer-addon.ts";
import { cacheFolder } from "./setup/cache.ts";
import { findCompiler } from "./setup/compiler.ts";
import { compilerError, runTool } from "./setup/run-tool.ts";
import { require } from "./tfjs/modules.ts";

/** From dist/src/runtime to src/runtime, because the TypeScript compiler does not copy C++ files. */
const sources = ["finalizer.cc", "stderr.cc", "stderr.h"].map((name) =>
  fileURLToPath(new URL(`../../../src/runtime/${name}`, import.meta.url)),
);

/** The experimental Node-API, whose finalizers run inside the collection, has the highest possible version number. */
const flags = ["-O2", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=2147483647"];
if (process.platform === "darwin") flags.push("-undefined", "dynamic_lookup");

function addonFile(): string {
  const hash = createHash("sha256").update(JSON.stringify([process.platform, process.arch, flags]));
  for (const source of sources) hash.update(readFileSync(source));
  return path.join(cacheFolder(), "collector", `${hash.digest("hex").slice(0, 16)}.node`);
}

/** Loads the addon that `halftone setup` built, or returns the reason why it cannot be loaded. */
export function loadFinalizer(): { addon: FinalizerAddon } | { fault: string } {
  try {
    const file = addonFile();
    if (!existsSync(file)) return { fault: `the collector is not set up (${howToSetUp()})` };
    return { addon: require(file) as FinalizerAddon };
  } catch (error) {
    return {
      fault: `the collector could not be loaded: ${error instanceof Error ? error.message.split("\n")[0] : error}`,
    };
  }
}

const howToSetUp = (): string =>
  findCompiler()
    ? "run `halftone setup`"
    : "install a C++ compiler, for example by `apt install g++`, and run `halftone setup`";

/** Compiles the addon if it is missing. Throws `UserError` when that fails. */
export async function buildFinalizer(signal?: AbortSignal): Promise<void> {
  const file = addonFile();
  if (existsSync(file)) return;
  const compiler = findCompiler();
  if (!compiler) throw new UserError("A C++ compiler is missing: install g++ (Debian: apt install g++).", 1);
  makeFolder(path.dirname(file));
  const work = mkdtempSync(path.join(path.dirname(file), ".build-"));
  try {
    const built = path.join(work, "collector.node");
    const headers = path.join(path.dirname(require.resolve("node-api-headers/package.json")), "include");
    const compiled = sources.filter((source) => source.endsWith(".cc"));
    const args = [...flags, `-I${headers}`, ...compiled, "-o", built];
    const { ok, errorText } = await runTool(compiler.command, args, { env: { TMPDIR: work }, signal });
    if (!ok || !existsSync(built))
      throw new UserError(`${compiler.command} could not compile the collector: ${compilerError(errorText)}`, 1);
    renameSync(built, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
