// Arrays on their way between files and tensors.

import { engine, type Storage } from "../../runtime/index.ts";
import { storageOf, tensorBytes, tensorFromBytes } from "../../storage/index.ts";
import { checkTensor } from "../engine.ts";
import type { DType } from "../types/shape.ts";
import type { AnyTensor } from "../types/tensor.ts";

/** Halves as their bits. */
export type Values = Float32Array | Int32Array | Uint8Array | Uint16Array | Float64Array;

/** An array as a file holds it. */
export interface StoredArray {
  shape: number[];
  dtype: DType;
  /** Of floating-point numbers; float32 where it is absent. */
  storage?: Storage;
  values: Values;
}

export const toTensor = ({ shape, dtype, storage = "float32", values }: StoredArray): AnyTensor =>
  storage === "float32"
    ? (engine.makeTensor(values as Float32Array, shape, dtype) as AnyTensor)
    : (tensorFromBytes(
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        shape,
        storage,
      ) as AnyTensor);

/** The elements of a tensor; a copy, since WebAssembly gives a view. */
export function fromTensor(x: AnyTensor, name = ""): StoredArray {
  checkTensor(`save${name && ` (${name})`}`, x);
  if (x.dtype !== "float32" && x.dtype !== "int32" && x.dtype !== "bool")
    throw new TypeError(`save: ${name || "the tensor"} is ${x.dtype}, which has no place in these files`);
  const shape = [...x.shape];
  const storage = x.dtype === "float32" ? storageOf(x) : "float32";
  if (storage === "float32") return { shape, dtype: x.dtype, values: x.dataSync().slice() };
  const { buffer } = tensorBytes(x);
  return {
    ...{ shape, dtype: "float32", storage },
    values: storage === "float64" ? new Float64Array(buffer) : new Uint16Array(buffer),
  };
}

/** Bytes of whole elements as a typed array of their own. */
export function typedFrom<T>(
  bytes: Uint8Array,
  make: { new (buffer: ArrayBuffer): T; readonly BYTES_PER_ELEMENT: number },
): T {
  // A Buffer's own slice is no copy.
  return new make(new Uint8Array(bytes).buffer);
}

/** Whole numbers of 64 bits as int32; throws RangeError for one that does not fit. */
export function fromInt64(values: BigInt64Array | BigUint64Array, what: string): Int32Array {
  return Int32Array.from(values, (value) => {
    const number = Number(value);
    if (number !== (number | 0)) throw new RangeError(`${what}: ${value} does not fit an int32`);
    return number;
  });
}

/** Whole numbers of 32 bits without a sign as int32; throws RangeError for one that does not fit. */
export const fromUint32 = (values: Uint32Array, what: string): Int32Array =>
  Int32Array.from(values, (value) => {
    if (value > 0x7fffffff) throw new RangeError(`${what}: ${value} does not fit an int32`);
    return value;
  });
