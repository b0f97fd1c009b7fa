// NumPy's array format (numpy.org/doc/stable/reference/generated/numpy.lib.format.html), versions 1 to 3.
import { sizeOf } from "../../base/shape.ts";
import type { Storage } from "../../runtime/index.ts";
import { fromInt64, fromUint32, type StoredArray, typedFrom, type Values } from "./array.ts";

const magic = "\x93NUMPY";
const descriptions = { float64: "<f8", float32: "<f4", float16: "<f2", int32: "<i4", bool: "|b1" } as const;
const storages: Readonly<Record<string, Storage>> = { f8: "float64", f2: "float16" };

export function encodeNpy({ shape, dtype, storage, values }: StoredArray, name: string): Uint8Array {
  if (storage === "bfloat16")
    throw new TypeError(
      `${name} is stored as bfloat16, which NumPy does not have: use .safetensors, or .to("float32") first`,
    );
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descriptions[storage ?? dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The data starts at a multiple of 64 bytes.
  const header = `${text}${" ".repeat(63 - ((10 + text.length) % 64))}\n`;
  const bytes = new Uint8Array(10 + header.length + values.byteLength);
  bytes.set(Buffer.from(magic, "latin1"));
  bytes.set([1, 0, header.length & 255, header.length >> 8], 6);
  bytes.set(Buffer.from(header, "latin1"), 10);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 10 + header.length);
  return bytes;
}

export function decodeNpy(bytes: Uint8Array, name: string): StoredArray {
  const fail = (why: string): never => {
    throw new Error(`${name}: ${why}`);
  };
  if (bytes.length < 10 || Buffer.from(bytes.subarray(0, 6)).toString("latin1") !== magic)
    throw new Error(`${name} is not an npy file: it does not begin with NumPy's signature "\\x93NUMPY"`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3) fail(`npy version ${version} is not supported (expected 1, 2 or 3)`);
  const [start, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (start + length > bytes.length) fail("the file ends inside the header");
  const header = Buffer.from(bytes.subarray(start, start + length)).toString(version === 3 ? "utf8" : "latin1");
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? fail(`the header has no simple 'descr': ${header.trim()}`);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1] ?? fail("the header has no 'fortran_order'");
  const tuple = /'shape':\s*\(([\d,\sL]*)\)/.exec(header)?.[1] ?? fail("the header has no 'shape'");
  const shape = (tuple.match(/\d+/g) ?? []).map(Number);
  const size = sizeOf(shape);
  const data = bytes.subarray(start + length);
  const width = Number(descr.slice(2));
  if (!/^[<|][fiub]\d+$/.test(descr)) fail(`type ${descr} is not supported`);
  if (data.length < size * width) fail(`expected ${size * width} bytes of data for its shape, got ${data.length}`);
  const values = decode(descr, data.subarray(0, size * width), name);
  const dtype = descr[1] === "f" ? "float32" : descr[1] === "b" ? "bool" : "int32";
  const storage = storages[descr.slice(1)];
  return { shape, dtype, ...(storage && { storage }), values: order === "True" ? fromFortran(values, shape) : values };
}

function decode(descr: string, bytes: Uint8Array, name: string): Values {
  switch (descr.slice(1)) {
    case "f4":
      return typedFrom(bytes, Float32Array);
    case "f8":
      return typedFrom(bytes, Float64Array);
    case "f2":
      return typedFrom(bytes, Uint16Array);
    case "i1":
      return Int32Array.from(typedFrom(bytes, Int8Array));
    case "i2":
      return Int32Array.from(typedFrom(bytes, Int16Array));
    case "i4":
      return typedFrom(bytes, Int32Array);
    case "i8":
      return fromInt64(typedFrom(bytes, BigInt64Array), name);
    case "u1":
      return Int32Array.from(bytes);
    case "u2":
      return Int32Array.from(typedFrom(bytes, Uint16Array));
    case "u4":
      return fromUint32(typedFrom(bytes, Uint32Array), name);
    case "u8":
      return fromInt64(typedFrom(bytes, BigUint64Array), name);
    case "b1":
      return Uint8Array.from(bytes, (byte) => (byte ? 1 : 0));
    default:
      throw new Error(`${name}: type ${descr} is not supported`);
  }
}

/** Reorders elements from Fortran's order, where the first axis varies fastest, to C's. */
function fromFortran<T extends Values>(values: T, shape: readonly number[]): T {
  const result = values.slice() as T;
  const position = shape.map(() => 0);
  for (let i = 0; i < values.length; i++) {
    result[position.reduce((offset, k, axis) => offset * shape[axis]! + k, 0)] = values[i]!;
    for (let axis = 0; axis < shape.length; axis++) {
      if (++position[axis]! < shape[axis]!) break;
      position[axis] = 0;
    }
  }
  return result;
}
