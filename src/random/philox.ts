/**
 * 32-bit words of Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") from a pair of int32
 * seeds, the same as TensorFlow's `StatelessRandomUniformFullInt` gives.
 */
export function philoxWords(count: number, seed: readonly [number, number]): Int32Array {
  const [s0, s1] = seed;
  // TensorFlow first scrambles the seeds, sign-extended to 64 bits, with one block under a fixed key.
  const [k0, k1, c2, c3] = philoxBlock([s0, s0 >> 31, s1, s1 >> 31], [0x3ec8f720, 0x02461e29]);
  const words = new Int32Array(count);
  for (let at = 0, block = 0; at < count; at += 4, block++) {
    const four = philoxBlock([block, 0, c2, c3], [k0, k1]);
    for (let i = 0; i < 4 && at + i < count; i++) words[at + i] = four[i]!;
  }
  return words;
}

type Block = [number, number, number, number];

/** Four words from a counter and a key, in ten rounds. */
export function philoxBlock(counter: Readonly<Block>, key: readonly [number, number]): Block {
  let [x0, x1, x2, x3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = [upperProduct(x0, 0xd2511f53), Math.imul(x0, 0xd2511f53)];
    const [high1, low1] = [upperProduct(x2, 0xcd9e8d57), Math.imul(x2, 0xcd9e8d57)];
    [x0, x1, x2, x3] = [high1 ^ x1 ^ k0, low1, high0 ^ x3 ^ k1, low0];
    [k0, k1] = [(k0 + 0x9e3779b9) | 0, (k1 + 0xbb67ae85) | 0];
  }
  return [x0, x1, x2, x3];
}

/** The upper 32 bits of the 64-bit product of two unsigned words. */
function upperProduct(a: number, b: number): number {
  const [a1, a0, b1, b0] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  return (a1 * b1 + Math.floor((middle + a0 * b1) / 65536)) | 0;
}
