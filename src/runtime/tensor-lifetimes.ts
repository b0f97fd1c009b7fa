import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { sizeOf } from "../base/shape.ts";
import { type Allocation, allocationOf, liveBytes, type MemoryCategory, recordRelease } from "./allocation-tracker.ts";
import { finalizationQueue } from "./finalization.ts";
import type { FinalizationQueue } from "./finalizer-addon.ts";
import { loadFinalizer } from "./finalizer-build.ts";
import { onStopped } from "./interrupts.ts";
import { type Lifetimes, manageLifetimes, type Noted } from "./lifetimes.ts";
import { guarded, opGuards } from "./op-guard.ts";
import type { NativeBackend, NativeData, TensorData, WasmBackend, WasmData } from "./tfjs/backend.ts";
import type { Engine } from "./tfjs/engine.ts";
import * as hooks from "./tfjs/hooks.ts";
import { bytesOf } from "./tracked-binding.ts";
import { weakRegistry } from "./variables.ts";

type Watched = TensorData & Noted;

interface Managed extends Lifetimes<Watched> {
  memoryOf(data: Watched): Allocation | undefined;
  /** Bytes that its first use by an op will allocate. */
  pendingBytes(data: Watched): number;
}

let managed: Managed | undefined;
let late: string | undefined;

/** Collects all garbage now and frees the tensors in it. Reachable tensors are not freed. */
export function collect(): void {
  managed?.collect();
}

/** The native memory of a tensor. Data from JavaScript has none before its first use by an op. */
export function memoryOf({ dataId }: Pick<TensorInfo, "dataId">): Allocation | undefined {
  const data = managed?.dataOf(dataId);
  return data && managed?.memoryOf(data);
}

/** Bytes that an op will allocate to copy these inputs to the device. */
export function pendingBytes(inputs: readonly Pick<TensorInfo, "dataId">[]): number {
  let bytes = 0;
  for (const { dataId } of inputs) {
    const data = dataId && managed?.dataOf(dataId);
    if (data) bytes += managed!.pendingBytes(data);
  }
  return bytes;
}

/**
 * Records the purpose of tensors, which a probe, a budget's error and `leaks` show. "activations" does not replace a more
 * specific purpose.
 */
export function categorize(cause: MemoryCategory, tensors: Iterable<Pick<TensorInfo, "dataId">>): void {
  for (const { dataId } of tensors) {
    const data = managed?.dataOf(dataId);
    if (!data || (cause === "activations" && data.cause)) continue;
    data.cause = cause;
    const memory = managed?.memoryOf(data);
    if (memory) memory.cause = cause;
  }
}

/** Copies the purposes of data, recorded before it had native memory, to that memory. */
export function settleCauses(inputs?: readonly Pick<TensorInfo, "dataId">[]): void {
  const settle = (data: Watched | undefined) => {
    if (!data?.cause) return;
    const memory = managed?.memoryOf(data);
    if (memory) memory.cause ??= data.cause;
  };
  if (inputs) for (const { dataId } of inputs) settle(dataId && managed?.dataOf(dataId));
  else for (const data of managed?.all() ?? []) settle(data);
}

/** Why tensors are freed with a delay in this process; undefined when they are not. */
export const fallbackReason = (): string | undefined => late;

function begin(engine: Engine): FinalizationQueue {
  const loaded = loadFinalizer();
  const addon = "addon" in loaded ? loaded.addon : undefined;
  if ("fault" in loaded)
    late = `unreachable tensors are freed only between turns of the event loop, because ${loaded.fault}`;
  engine.state.registeredVariables = weakRegistry(addon);
  hooks.assigned.subscribe("lifetimes", (variable) => {
    categorize((variable as { trainable?: boolean }).trainable === false ? "optimizer state" : "parameters", [
      variable,
    ]);
  });
  return finalizationQueue(addon);
}

// tfjs counts bytes by its own dtype: 4 bytes for every number, 0 for complex numbers.
const TF_BOOL = 10;
const TF_STRING = 7;
const TF_RESOURCE = 20;
const TF_COMPLEX64 = 8;

/** Frees the data collected in the meantime at the start of every op of the native backend. */
export function manageNative(backend: NativeBackend, engine: Engine): void {
  const queue = begin(engine);
  const lifetimes = manageLifetimes<NativeData & Noted>(
    {
      storage: backend.tensorMap,
      queue,
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
  const pending = (data: NativeData) => (data.values ? bytesOf(data.shape, data.dtype) : 0);
  managed = { ...lifetimes, memoryOf: memory as Managed["memoryOf"], pendingBytes: pending as Managed["pendingBytes"] };
  hooks.op.subscribe("lifetimes", (next) => (op) => {
    lifetimes.beforeOp();
    return opGuards.length === 0 ? next(op) : guarded(op, () => next(op));
  });
}

/**
 * The same for WebAssembly. Its kernels call each other with bare addresses, so data is freed only before the outermost
 * kernel.
 */
export function manageWasm(
  { dataIdMap, wasm }: WasmBackend,
  engine: Engine,
  bytesPerElement: (dtype: WasmData["dtype"]) => number,
): void {
  const queue = begin(engine);
  const lifetimes = manageLifetimes<WasmData & Noted>(
    {
      storage: dataIdMap,
      queue,
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
  let depth = 0;
  onStopped(() => {
    depth = 0;
  });
  hooks.kernel.subscribe("lifetimes", (next) => {
    const outermost: typeof next = (name, inputs, attrs) => {
      depth++;
      try {
        return next(name, inputs, attrs);
      } finally {
        depth--;
      }
    };
    return (name, inputs, attrs) => {
      if (depth > 0) return next(name, inputs, attrs);
      lifetimes.beforeOp();
      if (opGuards.length === 0) return outermost(name, inputs, attrs);
      let result: Tensor | Tensor[] = [];
      const run = () => {
        result = outermost(name, inputs, attrs);
        return Array.isArray(result) ? result : [result];
      };
      guarded({ name, attrs, inputs: Object.values(inputs).flat().filter(Boolean) }, run);
      return result;
    };
  });
}
