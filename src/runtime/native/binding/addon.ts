import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { type Addon, addonFile, buildAddon } from "../../setup/addon.ts";

/** What `binding.cc` exports. A tensor is a number. */
export interface BindingAddon {
  /** Numbers of inputs, and sizes of results, on the way between JavaScript and C++. */
  readonly shared: Int32Array;
  /** An op for `execute`. */
  prepare(name: string, attrs: readonly TFEOpAttr[]): number;
  /** Makes all numbers that `prepare` gave invalid. */
  forget(): void;
  /** The inputs are in `shared`, and so are then number, type, rank and sizes of each output. */
  execute(prepared: number, inputs: number, outputs: number): void;
  /** A tensor with the sizes in `shared` and a copy of the values. */
  create(type: number, rank: number, values: ArrayBufferView): number;
  remove(id: number): void;
  read(id: number): Float32Array | Int32Array | Uint8Array;
  /** tfjs' next op is not computed; its result is this tensor. */
  give(id: number): void;
  /** tfjs' next op fails; its input is the tensor of `takenTensor`. */
  take(): void;
  takenTensor(): number;
  /** To be called once with a tensor that came from tfjs. Whether tfjs' context is known. */
  open(id: number): boolean;
  size(): number;
}

/** The addon for the native library in a folder. It finds TensorFlow's own functions of the names that it replaces by linking it. */
function addonOf(folder: string): Addon {
  const library = path.join(folder, "tensorflow");
  return {
    name: "binding",
    sources: ["binding.cc", "tensorflow.h", "../capture/graph-options.h"].map((name) =>
      // From dist/src/runtime/native/binding, because the TypeScript compiler does not copy C++ files.
      fileURLToPath(new URL(`../../../../../src/runtime/native/binding/${name}`, import.meta.url)),
    ),
    flags: ["-O2", "-std=c++17", "-shared", "-fPIC", "-DNAPI_VERSION=8", `-Wl,-rpath,${library}`],
    libraries: ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"].map((name) => path.join(library, name)),
  };
}

/** Compiles the addon if it is missing. Throws `UserError` when that fails. */
export const buildBinding = (folder: string, signal?: AbortSignal): Promise<void> =>
  buildAddon(addonOf(folder), signal);

let fault: string | undefined = "TensorFlow is not used";

/** Why ops go through tfjs' own binding, which takes more time for each; undefined when they do not. */
export const bindingFault = (): string | undefined => fault;

/** Loads the addon; called before tfjs' binding is loaded. */
export function loadBinding(folder: string): BindingAddon | undefined {
  const file = addonFile(addonOf(folder));
  if (!existsSync(file)) {
    fault = "the quick binding is not set up (run `halftone setup`)";
    return undefined;
  }
  const module = { exports: {} as BindingAddon };
  try {
    // Its symbols must be visible to tfjs' binding.
    process.dlopen(module, file, os.constants.dlopen.RTLD_NOW | os.constants.dlopen.RTLD_GLOBAL);
    fault = undefined;
    return module.exports;
  } catch (error) {
    fault = `the quick binding could not be loaded: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
    return undefined;
  }
}

/** Called when tfjs' context is not known to the addon. */
export function refuseBinding(): void {
  fault = "the quick binding did not see TensorFlow's context";
}
