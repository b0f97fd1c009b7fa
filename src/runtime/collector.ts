import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "./cache.ts";
import { findCompiler } from "./compiler.ts";
import type { Deaths } from "./deaths.ts";
import { require } from "./modules.ts";
import { SetupProblem } from "./problem.ts";
import { lastLine, runTool } from "./tool.ts";

/** The addon `collector.cc`. */
export interface Collector extends Deaths {
  weaken(object: object): number;
  reach(number: number): object | undefined;
  forget(number: number): void;
  /** Keeps signals from this thread, and from threads that it starts, until it is called with false. */
  hold(on: boolean): void;
}

/** From dist/src/runtime to src/runtime: the compiler copies no C++. */
const source = fileURLToPath(new URL("../../../src/runtime/collector.cc", import.meta.url));

/** The highest Node-API version there is stands for the experimental one, whose finalizers run inside the collection. */
const flags = ["-O2", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=2147483647"];
if (process.platform === "darwin") flags.push("-undefined", "dynamic_lookup");

function addonFile(): string {
  const hash = createHash("sha256").update(JSON.stringify([process.platform, process.arch, flags]));
  hash.update(readFileSync(source));
  return path.join(cacheFolder(), "collector", `${hash.digest("hex").slice(0, 16)}.node`);
}

/** Loads the addon that `halftone setup` built; says why where there is none. */
export function loadCollector(): { addon: Collector } | { fault: string } {
  try {
    const file = addonFile();
    if (!existsSync(file)) return { fault: "the collector is not set up (run `halftone setup`)" };
    return { addon: require(file) as Collector };
  } catch (error) {
    return { fault: `the collector does not load: ${error instanceof Error ? error.message.split("\n")[0] : error}` };
  }
}

/** Compiles the addon where it is missing (half a second). Throws `SetupProblem` when it cannot. */
export async function buildCollector(signal?: AbortSignal): Promise<void> {
  const file = addonFile();
  if (existsSync(file)) return;
  const compiler = findCompiler();
  if (!compiler) throw new SetupProblem("A C++ compiler is missing: install g++ (Debian: apt install g++).");
  mkdirSync(path.dirname(file), { recursive: true });
  const work = mkdtempSync(path.join(path.dirname(file), ".build-"));
  try {
    const built = path.join(work, "collector.node");
    const headers = path.join(path.dirname(require.resolve("node-api-headers/package.json")), "include");
    const args = [...flags, `-I${headers}`, source, "-o", built];
    const { ok, said } = await runTool(compiler.command, args, { env: { TMPDIR: work }, signal });
    if (!ok) throw new SetupProblem(`${compiler.command} could not compile the collector: ${lastLine(said)}`);
    renameSync(built, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
