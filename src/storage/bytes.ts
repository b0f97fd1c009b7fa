import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { sizeOf } from "../base/shape.ts";
import {
  bitcast,
  bytesPerNumber,
  checkStorage,
  doubleTensor,
  isNative,
  nativeBackend,
  type Storage,
  tf,
  typeOf,
  uninterrupted,
} from "../runtime/index.ts";
import { refuseExamples } from "../runtime/levels.ts";
import { floatBits, floatFromBits } from "./format.ts";
import { storageOf, to } from "./to.ts";

const INT32 = 3;

/**
 * A float64 tensor with exactly these values, `[values.length]` or the given shape. On WebAssembly it is float32.
 *
 * @throws RangeError when the number of values does not match the shape
 */
export function float64(values: number | ArrayLike<number>, shape?: number[]): Tensor {
  const list = typeof values === "number" ? Float64Array.of(values) : Float64Array.from(values);
  const full = shape ?? (typeof values === "number" ? [] : [list.length]);
  checkSize("float64", list.length, full);
  return isNative() ? uninterrupted(() => doubleTensor(list, full)) : tf.tensor(Float32Array.from(list), full);
}

/**
 * The numbers of a tensor of any shape and storage type, without loss; `dataSync` rounds them to float32.
 *
 * @throws TypeError for a tensor of strings or complex numbers
 */
export function readFloat64(x: Tensor): Float64Array {
  if (x.dtype === "string" || x.dtype === "complex64") {
    throw new TypeError(`readFloat64: expected a tensor of numbers, got a ${x.dtype} tensor`);
  }
  if (storageOf(x) !== "float64" || !isNative()) return Float64Array.from(x.dataSync());
  return new Float64Array(tensorBytes(x).buffer);
}

/**
 * The bytes of a floating-point tensor of any shape as they are stored, little-endian, as in safetensors and NumPy files.
 *
 * @throws TypeError for a tensor that is not floating-point
 */
export function tensorBytes(x: Tensor): Uint8Array<ArrayBuffer> {
  if (x.dtype !== "float32") throw new TypeError(`tensorBytes: expected a floating-point tensor, got ${x.dtype}`);
  refuseExamples(x);
  const storage = storageOf(x);
  const size = bytesPerNumber[storage] * x.size;
  const bytes = new Uint8Array(size);
  if (size === 0) return bytes;
  if (storage === "float32" || !isNative()) {
    const numbers = x.dataSync();
    if (storage === "float32") bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    else if (storage === "float64") new Float64Array(bytes.buffer).set(numbers);
    else new Uint16Array(bytes.buffer).set(Uint16Array.from(numbers, (value) => Number(floatBits(value, storage))));
    return bytes;
  }
  return tf.tidy(() => {
    // TensorFlow gives 32-bit words, so halves are read in pairs.
    const flat = tf.reshape(x, [x.size]);
    const odd = storage !== "float64" && x.size % 2 === 1;
    const even = odd ? tf.concat([flat, to(tf.zeros([1]), storage)]) : flat;
    const paired = storage === "float64" ? even : tf.reshape(even, [even.size / 2, 2]);
    const { binding, tensorMap } = nativeBackend();
    return uninterrupted(() => {
      const words = bitcast(tensorMap.get(paired.dataId).id, typeOf[storage], INT32);
      try {
        const read = binding.tensorDataSync(words.id) as Int32Array;
        bytes.set(new Uint8Array(read.buffer, read.byteOffset, size));
      } finally {
        binding.deleteTensor(words.id);
      }
      return bytes;
    });
  }) as unknown as Uint8Array<ArrayBuffer>;
}

/**
 * A floating-point tensor of any shape from its bytes: the inverse of `tensorBytes`.
 *
 * @throws TypeError for an unknown storage type
 * @throws RangeError when the number of bytes does not match the shape
 */
export function tensorFromBytes(bytes: Uint8Array, shape: number[], storage: Storage): Tensor {
  checkStorage(storage);
  checkSize("tensorFromBytes", bytes.byteLength / bytesPerNumber[storage], shape);
  if (isNative() && bytes.length > 0 && storage !== "float32")
    return uninterrupted(() => fromWords(bytes, shape, storage));
  const copy = bytes.slice().buffer;
  if (storage === "float32") return tf.tensor(new Float32Array(copy), shape);
  if (storage === "float64") return float64(new Float64Array(copy), shape);
  // Every half is also a float32 number, so nothing is lost.
  const numbers = Float32Array.from(new Uint16Array(copy), (pattern) => floatFromBits(pattern, storage));
  return tf.tidy(() => to(tf.tensor(numbers, shape), storage));
}

function fromWords(bytes: Uint8Array, shape: number[], storage: Exclude<Storage, "float32">): Tensor {
  const own = nativeBackend();
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  const width = bytesPerNumber[storage] / 4;
  // A double is a pair of words, a word a pair of halves.
  const id = own.binding.createTensor(width > 1 ? [words.length / width, width] : [words.length], INT32, words);
  try {
    const numbers = own.createOutputTensor(bitcast(id, INT32, typeOf[storage]));
    return tf.tidy(() => {
      const flat = tf.reshape(numbers, [numbers.size]);
      numbers.dispose();
      const size = bytes.length / bytesPerNumber[storage];
      return tf.reshape(size === flat.size ? flat : tf.slice(flat, 0, size), shape);
    });
  } finally {
    own.binding.deleteTensor(id);
  }
}

function checkSize(what: string, count: number, shape: readonly number[]): void {
  const size = sizeOf(shape);
  if (size !== count) throw new RangeError(`${what}: the shape [${shape}] needs ${size} numbers, got ${count}`);
}
