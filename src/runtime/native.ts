import path from "node:path";
import util from "node:util";
import { withEqualBatches } from "./batch-matmul.ts";
import { correctGradients } from "./gradients.ts";
import { watchEngine } from "./interrupts.ts";
import { machineMemory } from "./machine.ts";
import { bindingAddon, loadBinding } from "./native/binding/addon.ts";
import { fastBinding } from "./native/binding/fast-binding.ts";
import { capturableBinding } from "./native/capture/active.ts";
import { loadKernels } from "./native/kernels/load.ts";
import { withOwnProducts } from "./native/kernels/matmul.ts";
import { openStorage } from "./native/storage.ts";
import { correctPartGradients } from "./part-gradients.ts";
import { addPoolGradients } from "./pool-gradients.ts";
import { loadQuietly } from "./quiet-load.ts";
import { readableError } from "./refusal.ts";
import { bindingFile } from "./setup/compiler.ts";
import { withoutSignals } from "./signals.ts";
import { manageNative } from "./tensor-lifetimes.ts";
import { nativeBackendOf } from "./tfjs/backend.ts";
import { type Engine, engineOf, type Tfjs } from "./tfjs/engine.ts";
import * as hooks from "./tfjs/hooks.ts";
import { provideBinding, require } from "./tfjs/modules.ts";
import { patchEngine } from "./tfjs/patch-engine.ts";
import { patchBinding, patchNative } from "./tfjs/patch-native.ts";
import { trackedBinding } from "./tracked-binding.ts";

/** Loads tfjs with the native library in `folder`. Synchronous and slow. */
export function loadNative(folder: string): Tfjs {
  // 3: fatal errors only. TensorFlow's log lines do not belong in a cell's output, and a failed op throws its message. Some lines that
  // it calls errors are none, such as "oneDNN supports DT_HALF only on platforms with AVX-512", on the CPUs where that is so.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
  // glibc (2.36) cannot reuse most of the gaps between aligned blocks, so the memory of a loop over large tensors may grow
  // far beyond the live tensors. TensorFlow's BFC allocator, which its GPU builds use, does not have this problem.
  process.env.TF_CPU_ALLOCATOR_USE_BFC ??= "true";
  process.env.TF_CPU_BFC_MEM_LIMIT_IN_MB ??= String(Math.floor(machineMemory() / 2 ** 20));
  replaceDeprecatedUtil();
  provideBinding(path.join(folder, bindingFile));
  // TensorFlow's threads start here and inherit the signal mask, so the signals blocked now stay blocked in them.
  const tf = withoutSignals(() =>
    loadQuietly(() => {
      loadBinding(folder);
      return require("@tensorflow/tfjs-node-gpu") as Tfjs;
    }),
  );
  const engine = engineOf(tf);
  const backend = nativeBackendOf(tf);
  patchEngine(tf);
  patchNative(backend);
  const quick = bindingAddon();
  patchBinding(backend, (binding) => ("addon" in quick ? fastBinding(binding, quick.addon) : {}));
  patchBinding(backend, trackedBinding);
  patchBinding(backend, (binding) => capturableBinding(binding, engine));
  openStorage(backend);
  hooks.op.subscribe("products", withOwnProducts);
  hooks.op.subscribe("batches", (next) => withEqualBatches(backend, next));
  makeErrorsReadable(engine);
  correctGradients(tf);
  correctPartGradients(tf);
  addPoolGradients(tf);
  manageNative(backend, engine);
  watchEngine(tf);
  loadKernels(backend.isUsingGpuDevice);
  return tf;
}

/** Makes TensorFlow's errors readable; they name the function that was called. */
function makeErrorsReadable({ state }: Engine): void {
  hooks.op.subscribe("errors", (next) => (op) => {
    try {
      return next(op);
    } catch (error) {
      const name = state.activeScope?.name;
      const caller = name === "unnamed scope" ? undefined : name?.replace(/__op$/, "");
      throw readableError(error, caller, op.name, op.inputs);
    }
  });
}

/**
 * tfjs-node calls two functions of `util` that warn of their deprecation on Node 22 (DEP0051, DEP0044) and that Node 23
 * removed.
 */
function replaceDeprecatedUtil(): void {
  const old = util as unknown as Record<string, (value: unknown) => boolean>;
  old.isNullOrUndefined = (value) => value === null || value === undefined;
  old.isArray = Array.isArray;
}
