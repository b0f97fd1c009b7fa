import type { TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { NativeBackend, NativeData } from "../tfjs/backend.ts";

export type ScalarValues = Float32Array & { exact?: number };

/** The value of a scalar as float32, with the original JavaScript number for use with doubles. */
export function scalarValues(value: number): Float32Array {
  const values: ScalarValues = Float32Array.of(value);
  if (values[0] !== value) values.exact = value;
  return values;
}

export interface Entry extends NativeData {
  /** Added by this library: the value of a scalar that was made from a JavaScript number. */
  number?: number;
}

let backend: NativeBackend | undefined;

/** Called once, when the native runtime has been loaded. */
export function useBackend(native: NativeBackend): void {
  backend = native;
}

/** The native backend. Throws when it is not loaded. */
export function nativeBackend(): NativeBackend {
  if (!backend) throw new Error("this needs the native TensorFlow runtime: run `halftone setup`");
  return backend;
}

export function entryOf({ dataId }: Pick<TensorInfo, "dataId">): Entry {
  const { tensorMap } = nativeBackend();
  return tensorMap.data.get(dataId) ?? tensorMap.get(dataId);
}

/** The record of a tensor's data; undefined for a tensor of another backend. */
export const localEntry = ({ dataId }: TensorInfo): Entry | undefined => backend?.tensorMap.data.get(dataId);
