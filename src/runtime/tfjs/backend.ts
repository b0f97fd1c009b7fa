import type { DataType, KernelBackend, Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { Tfjs } from "./engine.ts";

/** The record of one tensor's data, common to all backends. */
export interface TensorData {
  dtype: number | string;
  shape: number[];
  /** The number of `tf.Tensor` and `tf.Variable` objects that share it and are not disposed. */
  refCount: number;
}

/** The record in tfjs-node. */
export interface NativeData extends TensorData {
  /** TensorFlow's type number. It gives the storage type, where tfjs has only "float32". */
  dtype: number;
  /** TensorFlow's number of the tensor; not valid (for instance -1) until `values` have been passed to TensorFlow. */
  id: number;
  values: unknown;
}

/** The record in the WebAssembly backend: an address in its heap. */
export interface WasmData extends TensorData {
  dtype: DataType;
  id: number;
  memoryOffset: number | null;
  stringBytes?: Uint8Array[];
}

/** tfjs' map from a tensor's `dataId` to its data (tfjs-core/src/backends/backend.ts). */
export interface DataStorage<Data> {
  /** Fetches data, also from another backend; `data` has only the data of this backend. */
  get(dataId: object): Data;
  has(dataId: object): boolean;
  set(dataId: object, data: Data): void;
  delete(dataId: object): boolean;
  /** A weak map with `dataId` as the key. */
  data: WeakMap<object, Data>;
  dataIdsCount: number;
}

/** A tensor as returned by TensorFlow's binding. */
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
  /** A view of the backend's memory, valid until that memory grows. */
  typedArrayFromHeap(x: TensorInfo): Float32Array;
}

/** The native backend, if TensorFlow is used. */
export const nativeBackendOf = (tfjs: Pick<Tfjs, "backend">): NativeBackend =>
  tfjs.backend() as unknown as NativeBackend;

/** The WebAssembly backend, if it is used. */
export const wasmBackendOf = (tfjs: Pick<Tfjs, "backend">): WasmBackend => tfjs.backend() as WasmBackend;
