import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { Metadata } from "../tfjs/backend.ts";
import type { NativeOp, RunOp } from "../tfjs/hooks.ts";
import { entryOf, localEntry, nativeBackend } from "./backend.ts";
import { DOUBLE, INT32, type Storage, storageOfType, typeOf } from "./storage-types.ts";

/** Undefined for a tensor of another backend. */
export function nativeStorageOf(x: TensorInfo): Storage | undefined {
  const entry = localEntry(x);
  return entry && (storageOfType(entry.dtype) ?? "float32");
}

/** A cast that bypasses all interceptors and is not recorded for gradients. */
export function nativeCast(x: TensorInfo, storage: Storage): Tensor {
  const own = nativeBackend();
  const [id] = own.getInputTensorIds([x]);
  return own.createOutputTensor(executeCast(id!, entryOf(x).dtype, typeOf[storage]));
}

/** The same, through the interceptors that are inside the caller. */
export function castThrough(x: TensorInfo, storage: Storage, next: RunOp): Tensor {
  const attrs = castAttributes(entryOf(x).dtype, typeOf[storage]);
  return next({ name: "Cast", attrs, inputs: [x], outputs: 1 })[0]!;
}

export function executeCast(id: number, from: number, to: number): Metadata {
  return nativeBackend().binding.executeOp("Cast", castAttributes(from, to), [id], 1)[0]!;
}

const casts = new Map<number, NativeOp["attrs"]>();

/**
 * Returns the same array for the same two types. By its identity, a cast between storage types is distinguished from one that
 * a program requests.
 */
function castAttributes(from: number, to: number): NativeOp["attrs"] {
  const key = 32 * from + to;
  let attrs = casts.get(key);
  if (!attrs) {
    const { TF_ATTR_TYPE, TF_ATTR_BOOL } = nativeBackend().binding;
    attrs = [
      { name: "SrcT", type: TF_ATTR_TYPE, value: from },
      { name: "DstT", type: TF_ATTR_TYPE, value: to },
      { name: "Truncate", type: TF_ATTR_BOOL, value: false },
    ];
    casts.set(key, attrs);
  }
  return attrs;
}

export const isOwnCast = ({ name, attrs }: NativeOp): boolean =>
  name === "Cast" && casts.get(32 * (attrs[0]!.value as number) + (attrs[1]!.value as number)) === attrs;

/** The same bits as another type. If the types differ in width, the last axis is added or removed. */
export function bitcast(id: number, from: number, to: number): Metadata {
  const { binding } = nativeBackend();
  const attrs = [
    { name: "T", type: binding.TF_ATTR_TYPE, value: from },
    { name: "type", type: binding.TF_ATTR_TYPE, value: to },
  ];
  return binding.executeOp("Bitcast", attrs, [id], 1)[0]!;
}

/** A double tensor with exactly these values. */
export function doubleTensor(values: Float64Array, shape: number[]): Tensor {
  const own = nativeBackend();
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const id = own.binding.createTensor([...shape, 2], INT32, words);
  try {
    return own.createOutputTensor(bitcast(id, INT32, DOUBLE));
  } finally {
    own.binding.deleteTensor(id);
  }
}
