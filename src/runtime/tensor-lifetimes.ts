import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import { sizeOf } from "../base/shape.ts";
import { type Allocation, allocationOf, liveBytes, type MemoryCategory, recordRelease } from "./allocation-tracker.ts";
import { finalizationQueue } from "./finalization.ts";
import type { FinalizationQueue } from "./finalizer-addon.ts";
import { loadFinalizer } from "./finalizer-build.ts";
import { onStopped } from "./interrupts.ts";
import { type DataStorage, type EngineCounts, type Lifetimes, manageLifetimes, type TensorData } from "./lifetimes.ts";
import { guarded, opGuards } from "./op-guard.ts";
import { bytesOf } from "./tracked-binding.ts";
import { weakRegistry } from "./variables.ts";

interface Engine {
  state: EngineCounts & { registeredVariables: object };
  runKernel(name: string, inputs: object, attrs?: object): unknown;
  incRef(tensor: Tensor, backend: unknown): void;
}

interface Managed extends Lifetimes<TensorData> {
  memoryOf(data: TensorData): Allocation | undefined;
  /** Bytes that its first use by an op will take. */
  pendingBytes(data: TensorData): number;
}

let managed: Managed | undefined;
let late: string | undefined;

/** Collects all garbage now and frees the tensors in it. Tensors that JavaScript can reach stay. */
export function collect(): void {
  managed?.collect();
}

/** The native memory of a tensor; none before an op has used data that JavaScript gave. */
export function memoryOf({ dataId }: Pick<TensorInfo, "dataId">): Allocation | undefined {
  const data = managed?.dataOf(dataId);
  return data && managed?.memoryOf(data);
}

/** Bytes that an op will take to bring these inputs to the device. */
export function pendingBytes(inputs: readonly Pick<TensorInfo, "dataId">[]): number {
  let bytes = 0;
  for (const { dataId } of inputs) {
    const data = dataId && managed?.dataOf(dataId);
    if (data) bytes += managed!.pendingBytes(data);
  }
  return bytes;
}

/** Notes what tensors are for: a probe, a budget's error and `leaks` say so. A better-known cause is not replaced by "activations". */
export function categorize(cause: MemoryCategory, tensors: Iterable<Pick<TensorInfo, "dataId">>): void {
  for (const { dataId } of tensors) {
    const data = managed?.dataOf(dataId);
    if (!data || (cause === "activations" && data.cause)) continue;
    data.cause = cause;
    const memory = managed?.memoryOf(data);
    if (memory) memory.cause = cause;
  }
}

/** Brings the causes of data that was noted before it had native memory to that memory. */
export function settleCauses(inputs?: readonly Pick<TensorInfo, "dataId">[]): void {
  const settle = (data: TensorData | undefined) => {
    if (!data?.cause) return;
    const memory = managed?.memoryOf(data);
    if (memory) memory.cause ??= data.cause;
  };
  if (inputs) for (const { dataId } of inputs) settle(dataId && managed?.dataOf(dataId));
  else for (const data of managed?.all() ?? []) settle(data);
}

/** Why tensors are freed late here; undefined where they are not. */
export const fallbackReason = (): string | undefined => late;

function begin(engine: Engine): FinalizationQueue {
  const loaded = loadFinalizer();
  const addon = "addon" in loaded ? loaded.addon : undefined;
  if ("fault" in loaded)
    late = `unreachable tensors are freed only between turns of the event loop, because ${loaded.fault}`;
  engine.state.registeredVariables = weakRegistry(addon);
  // tfjs comes here when a variable is made and whenever it gets a value.
  const incRef = engine.incRef.bind(engine);
  engine.incRef = (variable, backend) => {
    incRef(variable, backend);
    categorize((variable as { trainable?: boolean }).trainable === false ? "optimizer state" : "parameters", [
      variable,
    ]);
  };
  return finalizationQueue(addon);
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
  const lifetimes = manageLifetimes(
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
  const memory = (data: NativeData) => allocationOf(data.id);
  const pending = (data: NativeData) => (data.values ? bytesOf(data.shape, data.dtype as number) : 0);
  managed = { ...lifetimes, memoryOf: memory as Managed["memoryOf"], pendingBytes: pending as Managed["pendingBytes"] };
  const single = backend.executeSingleOutput;
  const multiple = backend.executeMultipleOutputs;
  backend.executeSingleOutput = (name, attrs, inputs) => {
    lifetimes.beforeOp();
    if (opGuards.length === 0) return single(name, attrs, inputs);
    return guarded({ name, attrs, inputs }, () => [single(name, attrs, inputs)])[0]!;
  };
  backend.executeMultipleOutputs = (name, attrs, inputs, outputs) => {
    lifetimes.beforeOp();
    if (opGuards.length === 0) return multiple(name, attrs, inputs, outputs);
    return guarded({ name, attrs, inputs }, () => multiple(name, attrs, inputs, outputs));
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
  const lifetimes = manageLifetimes(
    {
      storage: dataIdMap,
      deaths,
      counts: () => engine.state,
      free(data) {
        wasm._free(data.memoryOffset);
        wasm.tfjs.disposeData(data.id);
        recordRelease(data);
      },
      isText: ({ dtype }) => dtype === "string",
      texts: ({ stringBytes }) => stringBytes,
      tfjsBytes: ({ dtype, shape }) => sizeOf(shape) * bytesPerElement(dtype),
    },
    liveBytes,
  );
  managed = { ...lifetimes, memoryOf: allocationOf, pendingBytes: () => 0 };
  const runKernel = engine.runKernel.bind(engine);
  let depth = 0;
  onStopped(() => {
    depth = 0;
  });
  const outermost: Engine["runKernel"] = (name, inputs, attrs) => {
    depth++;
    try {
      return runKernel(name, inputs, attrs);
    } finally {
      depth--;
    }
  };
  engine.runKernel = (name, inputs, attrs) => {
    if (depth > 0) return runKernel(name, inputs, attrs);
    lifetimes.beforeOp();
    if (opGuards.length === 0) return outermost(name, inputs, attrs);
    let given: unknown;
    const run = () => {
      given = outermost(name, inputs, attrs);
      return (Array.isArray(given) ? given : [given]) as Tensor[];
    };
    guarded({ name, attrs, inputs: Object.values(inputs).flat().filter(Boolean) }, run);
    return given;
  };
}
