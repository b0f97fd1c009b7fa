import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";

export type ScalarValues = Float32Array & { exact?: number };

/** The values of a scalar: a float32, beside which doubles find the number that it was made of. */
export function scalarValues(value: number): Float32Array {
  const values: ScalarValues = Float32Array.of(value);
  if (values[0] !== value) values.exact = value;
  return values;
}

/** What tfjs-node knows of a tensor's data. */
export interface Entry {
  /** TensorFlow's type number: here lies the storage type. */
  dtype: number;
  shape: number[];
  /** TensorFlow's number for it; of no meaning while `values` wait to be handed over. */
  id: number;
  values: unknown;
  /** Ours: the value of a scalar that was made from a JavaScript number. */
  number?: number;
}

export interface Metadata {
  id: number;
  shape: number[];
  dtype: number;
}

/** The package's types hide what is needed here. */
export interface Backend {
  binding: NodeJSKernelBackend["binding"];
  /** `get` fetches what another backend holds; `data` has what is here. */
  tensorMap: { get(dataId: object): Entry; has(dataId: object): boolean; data: WeakMap<object, Entry> };
  createOutputTensor(metadata: Metadata): Tensor;
  getInputTensorIds(inputs: TensorInfo[]): number[];
  readSync: NodeJSKernelBackend["readSync"];
  move: NodeJSKernelBackend["move"];
  disposeData: NodeJSKernelBackend["disposeData"];
}

let backend: Backend | undefined;

/** Called once, when the native runtime has been loaded. */
export function useBackend(native: NodeJSKernelBackend): Backend {
  backend = native as unknown as Backend;
  return backend;
}

/** The native backend; an error elsewhere. */
export function nativeBackend(): Backend {
  if (!backend) throw new Error("this needs the native TensorFlow runtime: run `halftone setup`");
  return backend;
}

export function entryOf({ dataId }: TensorInfo): Entry {
  const { tensorMap } = nativeBackend();
  return tensorMap.data.get(dataId) ?? tensorMap.get(dataId);
}

/** What is known here of a tensor's data; undefined for a tensor of another backend. */
export const localEntry = ({ dataId }: TensorInfo): Entry | undefined => backend?.tensorMap.data.get(dataId);
