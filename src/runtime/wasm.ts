import type { TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { countCall, recordAllocation, recordRelease, upload } from "./allocation-tracker.ts";
import { equalizeWasmBatches } from "./batch-matmul.ts";
import { correctGradients } from "./gradients.ts";
import { onStopped, watchEngine } from "./interrupts.ts";
import { require, requireAsTfjs, seed } from "./modules.ts";
import type { Tf } from "./native.ts";
import { correctPartGradients } from "./part-gradients.ts";
import { manageWasm } from "./tensor-lifetimes.ts";
import { addLongSumsInDoubles, borrowKernels, transposeEmpty } from "./wasm-kernels.ts";
import { keepNaN } from "./wasm-nan.ts";

type Tfjs = typeof import("@tensorflow/tfjs-node-gpu");

/** Loads tfjs with its WebAssembly backend. Ops may run once `ready` has settled. */
export function loadWasm(): { tf: Tf; ready: Promise<unknown>; version: string } {
  const tfjs = requireAsTfjs("@tensorflow/tfjs") as Tfjs;
  const wasm = require("@tensorflow/tfjs-backend-wasm") as typeof import("@tensorflow/tfjs-backend-wasm");
  const tf = withFiles(tfjs);
  seed(require.resolve("@tensorflow/tfjs-node-gpu"), tf);
  borrowKernels(tfjs);
  transposeEmpty(tfjs);
  addLongSumsInDoubles(tfjs);
  keepNaN(tfjs);
  equalizeWasmBatches(tfjs);
  correctGradients(tfjs);
  correctPartGradients(tfjs);
  const ready = tfjs.setBackend("wasm").then((started) => {
    if (!started) throw new Error("The WebAssembly backend did not start. Run `halftone doctor`.");
    manageWasm(tfjs.backend(), tfjs.engine() as unknown as Parameters<typeof manageWasm>[1], (dtype) =>
      tfjs.util.bytesPerElement(dtype as TensorInfo["dtype"]),
    );
    account(tfjs);
    watchEngine(tfjs);
  });
  // Whoever awaits ready() hears of a failure; one that nobody awaits must not end the process.
  ready.catch(() => {});
  return { tf, ready, version: wasm.version_wasm };
}

/** What tfjs-node adds to tfjs, as far as it needs no native library: models in files. */
function withFiles(tfjs: Tfjs): Tf {
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
  return Object.defineProperty({ ...tfjs, io: { ...tfjs.io, ...files } }, "node", node) as Tf;
}

interface WasmData {
  shape: number[];
  dtype: TensorInfo["dtype"];
}

interface WasmBackend {
  dataIdMap: {
    set(dataId: object, data: WasmData): void;
    delete(dataId: object): boolean;
    data: WeakMap<object, WasmData>;
  };
}

/** Writes into the ledger what lies in the WebAssembly heap, under the tfjs kernel that put it there. */
function account(tfjs: Tfjs): void {
  const { dataIdMap } = tfjs.backend() as unknown as WasmBackend;
  const engine = tfjs.engine();
  let op: ReturnType<typeof countCall> | undefined;
  const runKernel = engine.runKernel.bind(engine);
  engine.runKernel = ((name, inputs, attrs) => {
    const outer = op;
    op = countCall(name);
    try {
      return runKernel(name, inputs, attrs);
    } finally {
      op = outer;
    }
  }) as typeof engine.runKernel;
  onStopped(() => {
    op = undefined;
  });
  const set = dataIdMap.set.bind(dataIdMap);
  dataIdMap.set = (dataId, data) => {
    set(dataId, data);
    const bytes = data.dtype === "string" ? 0 : tfjs.util.bytesPerElement(data.dtype);
    const { shape, dtype } = data;
    recordAllocation(data, bytes * tfjs.util.sizeFromShape(shape), op ?? countCall(upload), shape, dtype);
  };
  const remove = dataIdMap.delete.bind(dataIdMap);
  dataIdMap.delete = (dataId) => {
    recordRelease(dataIdMap.data.get(dataId));
    return remove(dataId);
  };
}
