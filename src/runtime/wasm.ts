import { countCall, recordAllocation, recordRelease, upload } from "./allocation-tracker.ts";
import { equalizeWasmBatches } from "./batch-matmul.ts";
import { correctGradients } from "./gradients.ts";
import { onStopped, watchEngine } from "./interrupts.ts";
import { correctPartGradients } from "./part-gradients.ts";
import { addPoolGradients } from "./pool-gradients.ts";
import { manageWasm } from "./tensor-lifetimes.ts";
import { type WasmData, wasmBackendOf } from "./tfjs/backend.ts";
import { engineOf, type Tfjs } from "./tfjs/engine.ts";
import * as hooks from "./tfjs/hooks.ts";
import { require, requireAsTfjs, seed } from "./tfjs/modules.ts";
import { patchEngine } from "./tfjs/patch-engine.ts";
import { patchStorage } from "./tfjs/patch-storage.ts";
import { addLongSumsInDoubles, borrowKernels, shareIdentity, transposeEmpty } from "./wasm-kernels.ts";
import { keepNaN } from "./wasm-nan.ts";
import { countInsideWindows } from "./wasm-pools.ts";

/** Loads tfjs with its WebAssembly backend. Ops may run once `ready` has settled. */
export function loadWasm(): { tf: Tfjs; ready: Promise<unknown>; version: string } {
  const tfjs = requireAsTfjs("@tensorflow/tfjs") as Tfjs;
  const wasm = require("@tensorflow/tfjs-backend-wasm") as typeof import("@tensorflow/tfjs-backend-wasm");
  const tf = withFiles(tfjs);
  seed(require.resolve("@tensorflow/tfjs-node-gpu"), tf);
  patchEngine(tfjs);
  borrowKernels(tfjs);
  transposeEmpty(tfjs);
  shareIdentity(tfjs);
  addLongSumsInDoubles(tfjs);
  countInsideWindows(tfjs);
  keepNaN(tfjs);
  equalizeWasmBatches(tfjs);
  correctGradients(tfjs);
  correctPartGradients(tfjs);
  addPoolGradients(tfjs);
  const starting = explainEarlyUse(tfjs);
  const ready = tfjs.setBackend("wasm").then((started) => {
    starting[Symbol.dispose]();
    if (!started) throw new Error("The WebAssembly backend did not start. Run `halftone doctor`.");
    const backend = wasmBackendOf(tfjs);
    patchStorage(backend.dataIdMap);
    manageWasm(backend, engineOf(tfjs), (dtype) => tfjs.util.bytesPerElement(dtype));
    trackAllocations(tfjs);
    watchEngine(tfjs);
  });
  // A caller that awaits ready() gets the error. An error that nobody awaits must not end the process.
  ready.catch(() => {});
  return { tf, ready, version: wasm.version_wasm };
}

/** Until WebAssembly has started, tfjs advises to await its own functions, which a user of the library does not import. */
function explainEarlyUse(tfjs: Tfjs): Disposable {
  const engine = engineOf(tfjs);
  const get = () => {
    throw new Error("WebAssembly has not started yet: await halftone's ready() before the first op");
  };
  Object.defineProperty(engine, "backend", { get, configurable: true });
  return {
    [Symbol.dispose]() {
      delete (engine as { backend?: unknown }).backend;
    },
  };
}

/** The functions that tfjs-node adds to tfjs and that need no native library: models in files. */
function withFiles(tfjs: Tfjs): Tfjs {
  const files = require("@tensorflow/tfjs-node-gpu/dist/io/index.js") as object;
  const { nodeFileSystemRouter } = require("@tensorflow/tfjs-node-gpu/dist/io/file_system.js") as {
    nodeFileSystemRouter: Parameters<Tfjs["io"]["registerLoadRouter"]>[0] &
      Parameters<Tfjs["io"]["registerSaveRouter"]>[0];
  };
  tfjs.io.registerLoadRouter(nodeFileSystemRouter);
  tfjs.io.registerSaveRouter(nodeFileSystemRouter);
  const node = {
    get() {
      throw new Error("tf.node needs the native TensorFlow runtime: run `halftone setup`, or see `halftone doctor`");
    },
    enumerable: true,
  };
  return Object.defineProperty({ ...tfjs, io: { ...tfjs.io, ...files } }, "node", node) as Tfjs;
}

/** Counts the memory in the WebAssembly heap by the tfjs kernel that allocated it. */
function trackAllocations(tfjs: Tfjs): void {
  let op: ReturnType<typeof countCall> | undefined;
  hooks.kernel.subscribe("allocations", (next) => (name, inputs, attrs) => {
    const outer = op;
    op = countCall(name);
    try {
      return next(name, inputs, attrs);
    } finally {
      op = outer;
    }
  });
  onStopped(() => {
    op = undefined;
  });
  hooks.created.subscribe("allocations", (_, data) => {
    const { shape, dtype } = data as WasmData;
    const bytes = dtype === "string" ? 0 : tfjs.util.bytesPerElement(dtype);
    recordAllocation(data, bytes * tfjs.util.sizeFromShape(shape), op ?? countCall(upload), shape, dtype);
  });
  hooks.disposed.subscribe("allocations", recordRelease);
}
