import path from "node:path";
import util from "node:util";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import { correctGradients } from "./gradients.ts";
import { installInterceptors } from "./intercept-ops.ts";
import { watchEngine } from "./interrupts.ts";
import { machineMemory } from "./machine.ts";
import { require, requireAsTfjs, seed } from "./modules.ts";
import { openStorage } from "./native/storage.ts";
import { correctPartGradients } from "./part-gradients.ts";
import { loadQuietly } from "./quiet-load.ts";
import { bindingFile } from "./setup/compiler.ts";
import { withoutSignals } from "./signals.ts";
import { manageNative } from "./tensor-lifetimes.ts";

export type Tf = typeof import("@tensorflow/tfjs-node-gpu");

/** Loads tfjs with the native library in `folder`. Synchronous; about half a second. */
export function loadNative(folder: string): Tf {
  // 2: errors only. TensorFlow's other lines belong in no cell, and a failed op throws what it has to say.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
  // glibc (2.36 here) cannot use most of the holes that aligned blocks leave: a loop over 8 MB tensors of which two are alive
  // grew to 600 MB or to 9 GB, as luck would have it. TensorFlow's own allocator, the one of its GPU builds, holds the peak.
  process.env.TF_CPU_ALLOCATOR_USE_BFC ??= "true";
  process.env.TF_CPU_BFC_MEM_LIMIT_IN_MB ??= String(Math.floor(machineMemory() / 2 ** 20));
  replaceDeprecatedUtil();
  // The package asks node-pre-gyp only where its binding lies.
  seed(requireAsTfjs.resolve("@mapbox/node-pre-gyp"), { find: () => path.join(folder, bindingFile) });
  // TensorFlow's threads start here, and go on without the signals that are held back now.
  const tf = withoutSignals(() => loadQuietly(() => require("@tensorflow/tfjs-node-gpu") as Tf));
  const backend = tf.backend() as NodeJSKernelBackend;
  openStorage(backend);
  const { state } = tf.engine() as unknown as { state: { activeScope?: { name: string } } };
  installInterceptors(backend, () => {
    const name = state.activeScope?.name;
    return name === "unnamed scope" ? undefined : name?.replace(/__op$/, "");
  });
  correctGradients(tf);
  correctPartGradients(tf);
  manageNative(backend, tf.engine() as unknown as Parameters<typeof manageNative>[1]);
  watchEngine(tf, ["executeSingleOutput", "executeMultipleOutputs"]);
  return tf;
}

/** tfjs-node calls two functions of `util` that warn of their deprecation on Node 22 (DEP0051, DEP0044) and are gone since Node 23. */
function replaceDeprecatedUtil(): void {
  const old = util as unknown as Record<string, (value: unknown) => boolean>;
  old.isNullOrUndefined = (value) => value === null || value === undefined;
  old.isArray = Array.isArray;
}
