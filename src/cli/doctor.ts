import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { type Device, findGpu, lacksGlibc, threads } from "../runtime/machine.ts";
import { cacheFolder, libraryFolder, nativeFolder, wheelFolder } from "../runtime/setup/cache.ts";
import { findCompiler } from "../runtime/setup/compiler.ts";
import { mainLibrary } from "../runtime/setup/linking.ts";
import { fault, readManifest } from "../runtime/setup/manifest.ts";
import { findPython, type Python } from "../runtime/setup/python.ts";
import { recipeFor } from "../runtime/setup/recipe.ts";

/**
 * `halftone doctor`: prints what was found on this machine, which backend is used and why, and how to install what is missing.
 * Exit status 0 if there is nothing to do, 1 otherwise.
 */
export async function doctor(): Promise<void> {
  const gpu = findGpu();
  const device: Device = gpu ? "gpu" : "cpu";
  const python = findPython();
  const library = await examine(device);
  const wanted = process.env.HALFTONE_BACKEND !== "wasm" && !library.whole;
  const todo = wanted ? [...missingTools(python), ...library.todo] : [];

  section("Machine", {
    Node: `${process.versions.node} (${process.platform} ${process.arch})`,
    threads: String(threads()),
    GPU: gpu ?? "none",
    ...tools(python),
  });
  section("Packages", packages());
  section("Native library", {
    cache: `${cacheFolder()} (${size(cacheFolder())})`,
    ...(bytesUnder(wheelFolder()) > 0 && { wheels: `${wheelFolder()} (${size(wheelFolder())}; may be deleted)` }),
    ...others(library.folder),
    library: library.summary,
  });
  section("Used", await used(todo));
  section("To do", todo.length > 0 ? Object.fromEntries(todo.map((line, i) => [`${i + 1}`, line])) : { "": "nothing" });
  process.exitCode = todo.length > 0 ? 1 : 0;
}

function section(title: string, lines: Record<string, string>): void {
  console.log(title);
  const width = Math.max(...Object.keys(lines).map((name) => name.length));
  for (const [name, text] of Object.entries(lines)) console.log(`  ${name.padEnd(width)}  ${text}`);
}

function tools(python: Python | undefined): Record<string, string> {
  return {
    Python: python ? `${python.version}, ${python.pip ? `pip ${python.pip}` : "without pip"}` : "missing",
    compiler: findCompiler()?.version ?? "none (`halftone setup` uses compiled packages, or zig)",
  };
}

function missingTools(python: Python | undefined): string[] {
  const missing: string[] = [];
  if (lacksGlibc()) missing.push("use a Linux with glibc, such as Debian or Ubuntu: TensorFlow's library needs it");
  if (!python?.pip) missing.push("install Python 3 with pip (Debian: apt install python3-pip)");
  return missing;
}

interface LibraryState {
  folder?: string;
  whole: boolean;
  summary: string;
  todo: string[];
}

async function examine(device: Device): Promise<LibraryState> {
  try {
    const folder = libraryFolder(recipeFor(device).key);
    const manifest = readManifest(folder);
    if (!manifest) {
      const todo = ["run `halftone setup` to build the native library"];
      return { folder, whole: false, summary: `not built for the ${device} (its folder would be ${folder})`, todo };
    }
    const damage = await fault(folder, manifest);
    if (damage) {
      const todo = ["run `halftone setup` to build the damaged library again"];
      return { folder, whole: false, summary: `${folder} is damaged: ${damage}`, todo };
    }
    const { sha256 } = manifest.files[mainLibrary()] ?? {};
    return {
      folder,
      whole: true,
      summary: `${folder} is intact (${path.basename(mainLibrary())} has sha256 ${sha256})`,
      todo: [],
    };
  } catch (error) {
    const summary = error instanceof Error ? error.message : String(error);
    return { whole: false, summary, todo: ["use a machine named above, or stay with WebAssembly"] };
  }
}

/** Libraries of other versions of this package, which are not removed automatically. */
function others(used: string | undefined): Record<string, string> {
  if (!statSync(nativeFolder(), { throwIfNoEntry: false })) return {};
  const old = readdirSync(nativeFolder()).filter((name) => path.join(nativeFolder(), name) !== used);
  return old.length > 0 ? { others: `${old.join(", ")} (of other versions or devices; may be deleted)` } : {};
}

function packages(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const names = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-backend-wasm", "typescript", "danfojs-node"];
  const version = (name: string): string => {
    try {
      const file = require.resolve(`${name}/package.json`);
      return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
    } catch {
      return "not found";
    }
  };
  return Object.fromEntries(names.map((name) => [name, version(name)]));
}

/** Loads the backend that a notebook would use and computes a sum; adds to `todo` if that fails. */
async function used(todo: string[]): Promise<Record<string, string>> {
  try {
    const { ready, tf } = await import("../runtime/index.ts");
    const started = performance.now();
    const { backend, version, device, kernels, capture, reason } = await ready();
    const [four] = tf.add(2, 2).dataSync();
    if (four !== 4) todo.push(`the backend computes 2 + 2 = ${four}: run \`halftone setup\` in a fresh HALFTONE_CACHE`);
    const duration = `${(performance.now() - started).toFixed(0)} ms to the first result`;
    return {
      backend: `${backend} ${version} on the ${device}, ${kernels} kernels, steps ${capture ? "" : "not "}captured (${duration})`,
      why: reason,
    };
  } catch (error) {
    todo.push(error instanceof Error ? error.message : String(error));
    return { backend: "none" };
  }
}

function bytesUnder(folder: string): number {
  if (!statSync(folder, { throwIfNoEntry: false })) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}

const size = (folder: string): string => `${(bytesUnder(folder) / 1e6).toFixed(0)} MB`;
