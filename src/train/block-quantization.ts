// Block-wise dynamic quantization (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization"), where there is no kernel.
// src/runtime/native/kernels/update-8bit.cc has the same in C++.
import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";

/** Elements that share a scale, and the least size of a tensor whose moments are stored in 8 bits, as in bitsandbytes. */
const BLOCK = 256;
const LEAST = 4096;

/** The numbers that codes stand for, in order: seven decades below 1, finer the larger they are, 0 and 1. */
function codebook(isSigned: boolean): Float32Array {
  const values = [0, 1];
  for (let i = 0; i < 7; i++) {
    const items = (isSigned ? 1 : 2) << i;
    for (let k = 0; k < items; k++) {
      // The middle of the k-th of `items` equal parts of 0.1 to 1.
      const value = 10 ** (i - 6) * (0.1 + (0.9 * (k + 0.5)) / items);
      values.push(value, ...(isSigned ? [-value] : []));
    }
  }
  return Float32Array.from(values).sort();
}

interface Codes {
  values: Float32Array;
  /** The middles between neighbours. */
  middles: Float32Array;
}

const codesOf = (values: Float32Array): Codes => ({
  values,
  middles: Float32Array.from({ length: 255 }, (_, i) => (values[i]! + values[i + 1]!) / 2),
});
const signedCodes = codesOf(codebook(true));
const unsignedCodes = codesOf(codebook(false));

/** The code of the nearest number. */
function codeOf({ middles }: Codes, x: number): number {
  let [low, high] = [0, 255];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x < middles[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What the moments of some tensors are stored in, in the order of the kernel. Four codes take the place of a float32 number. */
type Slots<T> = Record<"firstCodes" | "firstScales" | "secondCodes" | "secondScales" | "first" | "second", T>;

/** The sizes of the state for tensors of some sizes. No vector is empty. */
export function slotSizes(sizes: readonly number[]): Slots<number> {
  const blocks = sizes.reduce((sum, size) => sum + (size < LEAST ? 0 : Math.ceil(size / BLOCK)), 0);
  const small = sizes.reduce((sum, size) => sum + (size < LEAST ? size : 0), 0);
  const [codes, scales, moments] = [(blocks * BLOCK) / 4, blocks, small].map((size) => Math.max(1, size)) as [
    number,
    number,
    number,
  ];
  return {
    ...{ firstCodes: codes, firstScales: scales },
    ...{ secondCodes: codes, secondScales: scales },
    ...{ first: moments, second: moments },
  };
}

/** The float32 moments of all elements, one tensor after the other. */
type Moments = Record<"first" | "second", Tensor1D>;

/** The moments that a state stands for. */
export function dequantized(state: Readonly<Record<string, Tensor1D>>, sizes: readonly number[]): Moments {
  const values = (slot: keyof Slots<unknown>) => state[slot]!.dataSync() as Float32Array;
  const momentOf = (name: keyof Moments, book: Codes) => {
    const [codes, scales, small] = [bytesOf(values(`${name}Codes`)), values(`${name}Scales`), values(name)];
    const all = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
    for (const { from, to, block, smallFrom } of partsOf(sizes)) {
      const part = all.subarray(from, to);
      if (block === undefined) part.set(small.subarray(smallFrom, smallFrom + part.length));
      else decode(book, codes.subarray(block * BLOCK), scales[block]!, part);
    }
    return tf.tensor1d(all);
  };
  return { first: momentOf("first", signedCodes), second: momentOf("second", unsignedCodes) };
}

/** The state for some moments. */
export function quantized(moments: Moments, sizes: readonly number[]): Record<string, Tensor1D> {
  const made = Object.fromEntries(
    Object.entries(slotSizes(sizes)).map(([name, size]) => [name, new Float32Array(size)]),
  ) as Slots<Float32Array>;
  const store = (name: keyof Moments, book: Codes) => {
    const values = moments[name].dataSync() as Float32Array;
    const codes = bytesOf(made[`${name}Codes`]);
    for (const { from, to, block, smallFrom } of partsOf(sizes)) {
      const part = values.subarray(from, to);
      if (block === undefined) made[name].set(part, smallFrom);
      else made[`${name}Scales`][block] = encode(book, part, codes.subarray(block * BLOCK));
    }
  };
  store("first", signedCodes);
  store("second", unsignedCodes);
  return Object.fromEntries(Object.entries(made).map(([name, values]) => [name, tf.tensor1d(values)]));
}

/** Elements that are stored together: a block of a large tensor in 8 bits, or a small tensor in float32. */
interface Part {
  from: number;
  to: number;
  block?: number;
  /** Of the first of them among those of small tensors. */
  smallFrom: number;
}

function* partsOf(sizes: readonly number[]): Generator<Part> {
  let [from, block, smallFrom] = [0, 0, 0];
  for (const size of sizes) {
    const end = from + size;
    if (size < LEAST) {
      yield { from, to: end, smallFrom };
      smallFrom += size;
    } else for (; from < end; from += BLOCK) yield { from, to: Math.min(from + BLOCK, end), block: block++, smallFrom };
    from = end;
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function decode({ values }: Codes, codes: Uint8Array, scale: number, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = values[codes[i]!]! * scale;
}

/** Writes the codes of a block and gives its scale. */
function encode(book: Codes, x: Float32Array, codes: Uint8Array): number {
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const inverse = largest > 0 ? Math.fround(1 / largest) : 0;
  x.forEach((value, i) => {
    codes[i] = codeOf(book, Math.fround(value * inverse));
  });
  return largest;
}
