/**
 * Two 32-bit words from several integers, for instance (seed, step, batch, site). Each word depends on every part and on
 * their order, so different combinations get different words, unlike sums of seed and step.
 *
 * @throws RangeError for a part that is not an integer within 2^53
 */
export function deriveWords(...parts: readonly number[]): [number, number] {
  let [a, b] = [0x243f6a88, 0x85a308d3];
  for (const part of parts) {
    if (!Number.isSafeInteger(part)) throw new RangeError(`the seed must be an integer, got ${part}`);
    for (const word of [part | 0, Math.floor(part / 2 ** 32)]) {
      a = mix(a ^ word, 0x21f0aaad, 0x735a2d97) + 0x9e3779b9;
      b = mix(b ^ word, 0x85ebca6b, 0xc2b2ae35) + 0x9e3779b9;
    }
  }
  return [mix(a, 0x21f0aaad, 0x735a2d97), mix(b, 0x85ebca6b, 0xc2b2ae35)];
}

/**
 * One seed of 53 bits from several integers, as JAX's `fold_in` gives: `deriveSeed(seed, run)`. Unlike `seed + run`, it
 * gives neighbouring seeds different runs.
 *
 * @throws RangeError for a part that is not an integer within 2^53
 */
export function deriveSeed(...parts: readonly number[]): number {
  const [low, high] = deriveWords(...parts);
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

/** A 32-bit finalizer: each bit of the input changes each bit of the output with probability 1/2. */
function mix(word: number, first: number, second: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), first);
  mixed = Math.imul(mixed ^ (mixed >>> 15), second);
  return mixed ^ (mixed >>> 15);
}
