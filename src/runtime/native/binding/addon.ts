import path from "node:path";
import { fileURLToPath } from "node:url";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { type Addon, type BuildOptions, buildAddon, loadAddon } from "../../setup/addon.ts";
import { besideTensorflow, libraryNames } from "../../setup/linking.ts";
import { undoBy } from "../../tfjs/undo.ts";
import { ownCluster } from "../cluster/cluster.ts";
import { serverDef } from "../cluster/server-def.ts";

/** What the C++ files export. A tensor is a number. */
export interface BindingAddon {
  /** Numbers of inputs, and sizes of results, on the way between JavaScript and C++. */
  readonly shared: Int32Array;
  /** An op for `execute`. */
  prepare(name: string, attrs: readonly TFEOpAttr[]): number;
  /** Makes all numbers that `prepare` gave invalid. */
  forget(): void;
  /**
   * The inputs are in `shared`, and after them those that are given away: a kernel may compute its results in their memory, and where
   * the op does not fail, they are gone. Then number, type, rank and sizes of each output are there.
   */
  execute(prepared: number, inputs: number, outputs: number, donated: number): void;
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
  /** TensorFlow's next context joins a cluster, given as a ServerDef. */
  joinCluster(serverDef: Uint8Array): void;
  /** What the process waits for in its cluster fails, and all exchanges after it. Any thread may call it. */
  abortCollectives(reason: string): void;
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
}

const sources = [
  ...["binding/binding.cc", "binding/addon.h", "binding/tensorflow.h", "binding/small-op.cc", "binding/small-op.h"],
  ...["binding/cluster.cc", "binding/cluster.h"],
  ...["capture/capture.cc", "capture/capture.h", "capture/allocator.cc", "capture/allocator.h"],
].map((name) =>
  // From dist/src/runtime/native/binding, because the TypeScript compiler does not copy C++ files.
  fileURLToPath(new URL(`../../../../../src/runtime/native/${name}`, import.meta.url)),
);

/** The addon for the native library in a folder. It finds TensorFlow's own functions of the names that it replaces by linking it. */
export function addonOf(folder: string, platform?: string): Addon {
  const library = path.join(folder, "tensorflow");
  return {
    name: "quick binding",
    sources,
    flags: [
      ...["-O2", "-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-DNAPI_VERSION=8"],
      ...besideTensorflow(platform),
    ],
    libraries: libraryNames(platform).map((name) => path.join(library, name)),
    folder,
    isVisible: true,
  };
}

/** Compiles the addon if it is missing. Throws `UserError` when that fails. */
export const buildBinding = (folder: string, options?: BuildOptions): Promise<void> =>
  buildAddon(addonOf(folder), options);

/** The addon, or why it is not used. */
export type LoadedBinding = { addon: BindingAddon } | { fault: string };
const unused: LoadedBinding = { fault: "TensorFlow is not used" };
let loaded: LoadedBinding = unused;
let libraryFolder: string | undefined;

/** The addon; or why it is not used, so that tfjs' own binding runs the ops, which takes more time for each. */
export const bindingAddon = (): LoadedBinding => loaded;

/**
 * Loads the addon; called before tfjs' binding is loaded, whose context joins the cluster of this process, if there is one.
 *
 * @throws Error where there is a cluster and no addon
 */
export function loadBinding(folder: string): void {
  loaded = loadAddon<BindingAddon>(addonOf(folder));
  libraryFolder = folder;
  const cluster = ownCluster();
  if (cluster) {
    if ("fault" in loaded) throw new Error(loaded.fault);
    loaded.addon.joinCluster(serverDef(cluster));
  }
  undoBy(() => {
    loaded = unused;
  });
}

/** The folder of the native library that is loaded, for `bindingOf`. */
export const bindingFolder = (): string | undefined => libraryFolder;

/** The addon in a thread that does not load tfjs. */
export const bindingOf = (folder: string): LoadedBinding => loadAddon<BindingAddon>(addonOf(folder));

/** Called when tfjs' context is not known to the addon. */
export function refuseBinding(): void {
  loaded = { fault: "the quick binding did not see TensorFlow's context" };
}
