import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import { loadCollector } from "./collector.ts";
import { type Deaths, deathsBy } from "./deaths.ts";
import { liveBytes, release } from "./ledger.ts";
import { type DataStorage, type EngineCounts, type Lifetimes, manageLifetimes, type TensorData } from "./lifetimes.ts";
import { weakRegistry } from "./variables.ts";

interface Engine {
  state: EngineCounts & { registeredVariables: object; kernelDepth: number };
  runKernel(name: string, inputs: object, attrs?: object): unknown;
}

let lifetimes: Lifetimes | undefined;
let late: string | undefined;

/** Collects all garbage now and frees the tensors in it. Tensors that JavaScript can reach stay. */
export function collect(): void {
  lifetimes?.collect();
}

/** Why tensors are freed late here; undefined where they are not. */
export const lateBecause = (): string | undefined => late;

function begin(engine: Engine): Deaths {
  const loaded = loadCollector();
  const addon = "addon" in loaded ? loaded.addon : undefined;
  if ("fault" in loaded)
    late = `unreachable tensors are freed only between turns of the event loop, because ${loaded.fault}`;
  engine.state.registeredVariables = weakRegistry(addon);
  return deathsBy(addon);
}

interface NativeData extends TensorData {
  /** TensorFlow's number for it, or -1 until an op first uses it. */
  id: number;
  values: unknown;
}

// As tfjs counts by its own type: 4 bytes for every number, none for complex ones.
const TF_BOOL = 10;
const TF_STRING = 7;
const TF_RESOURCE = 20;
const TF_COMPLEX64 = 8;

/** Every op of the native backend passes here; at its start, what died since is freed. */
export function manageNative(backend: NodeJSKernelBackend, engine: Engine): void {
  const deaths = begin(engine);
  const { tensorMap } = backend as unknown as { tensorMap: DataStorage<NativeData> };
  const managed = manageLifetimes(
    {
      storage: tensorMap,
      deaths,
      counts: () => engine.state,
      free: ({ id }) => {
        if (id >= 0) backend.binding.deleteTensor(id);
      },
      isText: ({ dtype }) => dtype === TF_STRING || dtype === TF_RESOURCE,
      texts: ({ values }) => values as Uint8Array[] | null,
      tfjsBytes(data) {
        if (data.dtype === TF_COMPLEX64) return 0;
        return sizeOf(data.shape) * (data.dtype === TF_BOOL ? 1 : 4);
      },
    },
    liveBytes,
  );
  lifetimes = managed;
  const single = backend.executeSingleOutput;
  const multiple = backend.executeMultipleOutputs;
  backend.executeSingleOutput = (name, attrs, inputs) => {
    managed.beforeOp();
    return single(name, attrs, inputs);
  };
  backend.executeMultipleOutputs = (name, attrs, inputs, outputs) => {
    managed.beforeOp();
    return multiple(name, attrs, inputs, outputs);
  };
}

interface WasmData extends TensorData {
  id: number;
  memoryOffset: number | null;
  stringBytes?: Uint8Array[];
  dtype: string;
}

interface WasmBackend {
  dataIdMap: DataStorage<WasmData>;
  wasm: { _free(offset: number | null): void; tfjs: { disposeData(id: number): void } };
}

/** The same for WebAssembly. Its kernels call each other with bare addresses, so it is freed before the outermost only. */
export function manageWasm(backend: object, engine: Engine, bytesPerElement: (dtype: string) => number): void {
  const deaths = begin(engine);
  const { dataIdMap, wasm } = backend as WasmBackend;
  const managed = manageLifetimes(
    {
      storage: dataIdMap,
      deaths,
      counts: () => engine.state,
      free(data) {
        wasm._free(data.memoryOffset);
        wasm.tfjs.disposeData(data.id);
        release(data);
      },
      isText: ({ dtype }) => dtype === "string",
      texts: ({ stringBytes }) => stringBytes,
      tfjsBytes: ({ dtype, shape }) => sizeOf(shape) * bytesPerElement(dtype),
    },
    liveBytes,
  );
  lifetimes = managed;
  const runKernel = engine.runKernel.bind(engine);
  engine.runKernel = (name, inputs, attrs) => {
    if (engine.state.kernelDepth === 0) managed.beforeOp();
    return runKernel(name, inputs, attrs);
  };
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
