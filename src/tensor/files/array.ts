// Arrays on their way between files and tensors.
import { engine } from "../engine.ts";
import type { DType } from "../types/shape.ts";
import type { AnyTensor } from "../types/tensor.ts";

export type Values = Float32Array | Int32Array | Uint8Array;

/** An array as a file holds it. */
export interface StoredArray {
  shape: number[];
  dtype: DType;
  values: Values;
}

export const toTensor = ({ shape, dtype, values }: StoredArray): AnyTensor =>
  engine.makeTensor(values, shape, dtype) as AnyTensor;

/** The elements of a tensor; a copy, since WebAssembly gives a view. */
export function fromTensor(x: AnyTensor): StoredArray {
  if (x.dtype !== "float32" && x.dtype !== "int32" && x.dtype !== "bool")
    throw new TypeError(`save: ${x.dtype} tensors have no place in these files`);
  return { shape: [...x.shape], dtype: x.dtype, values: x.dataSync().slice() };
}

/** Bytes of whole elements as a typed array of their own. */
export function typedFrom<T>(
  bytes: Uint8Array,
  make: { new (buffer: ArrayBuffer): T; readonly BYTES_PER_ELEMENT: number },
): T {
  return new make(bytes.slice().buffer as ArrayBuffer);
}

const scratch = new DataView(new ArrayBuffer(4));

/** float32 of the 16 bits of a bfloat16. */
export function fromBfloat16(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** float32 of the 16 bits of an IEEE 754 half. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
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
