/**
 * Rounds float32 numbers in place to the nearest number that another format holds, ties to even. The arithmetic is done
 * on the bits, some 2 ns a number: this runs for every number of an op where half precision is emulated.
 */
export function roundToBfloat16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    // Not-a-number keeps its upper half with the quiet bit set: adding to it could carry it away.
    bits[i] =
      (word & 0x7fffffff) > 0x7f800000
        ? (word & 0xffff0000) | 0x00400000
        : ((word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000) >>> 0;
  }
}

/** The same for binary16: from 65520 on it is infinite, below 2^-14 its steps are 2^-24. */
export function roundToFloat16(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const size = Math.abs(value);
    if (size >= 65520) values[i] = value > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    // Adding and taking off 1.5 * 2^23 steps rounds to a whole step, ties to even, in float32 arithmetic.
    else if (size < 2 ** -14)
      values[i] = Math.fround(value + Math.sign(value) * 0.5) - Math.sign(value) * 0.5 || value * 0;
    else if (!Number.isNaN(value)) values[i] = roundedNormal(value);
  }
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function roundedNormal(value: number): number {
  float[0] = value;
  const bits = word[0]!;
  word[0] = (bits + 0xfff + ((bits >>> 13) & 1)) & 0xffffe000;
  return float[0];
}
