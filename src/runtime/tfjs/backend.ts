import type { DataType, KernelBackend, Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { Tfjs } from "./engine.ts";

/** What every backend holds of one tensor's data. */
export interface TensorData {
  dtype: number | string;
  shape: number[];
  /** How many `tf.Tensor` and `tf.Variable` objects that were not disposed share it. */
  refCount: number;
}

/** What tfjs-node holds. */
export interface NativeData extends TensorData {
  /** TensorFlow's type number: the storage type, where tfjs knows "float32" only. */
  dtype: number;
  /** TensorFlow's number for it; -1, or of no meaning, while `values` wait to be handed over. */
  id: number;
  values: unknown;
}

/** What the WebAssembly backend holds: a place in its heap. */
export interface WasmData extends TensorData {
  dtype: DataType;
  id: number;
  memoryOffset: number | null;
  stringBytes?: Uint8Array[];
}

/** tfjs' map from a tensor's `dataId` to its data (tfjs-core/src/backends/backend.ts). */
export interface DataStorage<Data> {
  /** Fetches what another backend holds; `data` has what is here. */
  get(dataId: object): Data;
  has(dataId: object): boolean;
  set(dataId: object, data: Data): void;
  delete(dataId: object): boolean;
  /** Weak by the `dataId`. */
  data: WeakMap<object, Data>;
  dataIdsCount: number;
}

/** A tensor as TensorFlow's binding gives it. */
export interface Metadata {
  id: number;
  shape: number[];
  dtype: number;
}

interface NativeInternals {
  tensorMap: DataStorage<NativeData>;
  createOutputTensor(metadata: Metadata): Tensor;
  getInputTensorIds(inputs: TensorInfo[]): number[];
}

/** The backend of tfjs-node-gpu 4.22 with the members that its published type hides. */
export type NativeBackend = Omit<NodeJSKernelBackend, keyof NativeInternals> & NativeInternals;

/** The backend of tfjs-backend-wasm 4.22. */
export interface WasmBackend extends KernelBackend {
  dataIdMap: DataStorage<WasmData>;
  wasm: { _free(offset: number | null): void; tfjs: { disposeData(id: number): void } };
  /** A view of the backend's memory, good until that grows. */
  typedArrayFromHeap(x: TensorInfo): Float32Array;
}

/** The backend where TensorFlow runs. */
export const nativeBackendOf = (tfjs: Pick<Tfjs, "backend">): NativeBackend =>
  tfjs.backend() as unknown as NativeBackend;

/** The backend where WebAssembly runs. */
export const wasmBackendOf = (tfjs: Pick<Tfjs, "backend">): WasmBackend => tfjs.backend() as WasmBackend;
