import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Addon, addonFile, buildAddon } from "../../setup/addon.ts";
import { nativeBackend } from "../backend.ts";

/** What `capture.cc` exports. */
export interface CaptureAddon {
  /**
   * Makes a graph callable as an op. Inputs and outputs are `node:output`. With `isCalled`, graphs that are added later may have nodes
   * that call it, and it is not merged with them.
   */
  addFunction(
    name: string,
    graphDef: Uint8Array,
    inputs: readonly string[],
    outputs: readonly string[],
    isCalled: boolean,
  ): void;
  removeFunction(name: string): void;
  /**
   * Bytes of TensorFlow's CPU allocator in use, and the most since the last call with `reset`; undefined where it does not count
   * them.
   */
  cpuMemory(reset: boolean): [inUse: number, peak: number] | undefined;
  /** Whether tfjs' context of this thread is known. */
  hasContext(): boolean;
}

let loaded: CaptureAddon | undefined;
let fault = "TensorFlow is not used";

/** The addon for the native library in a folder. It finds TensorFlow's own function of the name that it replaces by linking it. */
function addonOf(folder: string): Addon {
  const library = path.join(folder, "tensorflow");
  return {
    name: "capture",
    sources: ["capture.cc", "allocator.cc", "allocator.h", "graph-options.h", "tensorflow.h"].map((name) =>
      // From dist/src/runtime/native/capture, because the TypeScript compiler does not copy C++ files.
      fileURLToPath(new URL(`../../../../../src/runtime/native/capture/${name}`, import.meta.url)),
    ),
    flags: ["-O2", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=8", `-Wl,-rpath,${library}`],
    libraries: ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"].map((name) => path.join(library, name)),
  };
}

/** Compiles the addon if it is missing. Throws `UserError` when that fails. */
export const buildCapture = (folder: string, signal?: AbortSignal): Promise<void> =>
  buildAddon(addonOf(folder), signal);

/** Loads the addon; called before tfjs' binding is loaded. Without it nothing is captured. */
export function openCapture(folder: string): void {
  const file = addonFile(addonOf(folder));
  if (!existsSync(file)) {
    fault = "the capture is not set up (run `halftone setup`)";
    return;
  }
  const module = { exports: {} as CaptureAddon };
  try {
    // Its symbols must be visible to the binding.
    process.dlopen(module, file, os.constants.dlopen.RTLD_NOW | os.constants.dlopen.RTLD_GLOBAL);
    loaded = module.exports;
  } catch (error) {
    fault = `the capture could not be loaded: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
  }
}

/** The addon, or why steps are not captured. */
export function captureAddon(): { addon: CaptureAddon } | { fault: string } {
  if (!loaded) return { fault };
  if (nativeBackend().isUsingGpuDevice) return { fault: "they are captured on the CPU only" };
  return loaded.hasContext() ? { addon: loaded } : { fault: "the capture did not see TensorFlow's context" };
}
