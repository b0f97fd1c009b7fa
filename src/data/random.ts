import { type Generator, generator } from "../random/index.ts";

/** Seeded random numbers. It is a `Generator`, so random tensors can be drawn from it: `randn([2], { from: rng })`. */
export interface Random extends Generator {
  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number;
  /** Uniform integer in [low, high), as NumPy's `integers`. Throws RangeError unless both are integers and low < high. */
  integer(low: number, high: number): number;
  /** Standard normal (Box & Muller 1958). */
  normal(): number;
  /** One of the items, each with the same probability. Throws RangeError when there is none. */
  pick<T>(items: readonly T[]): T;
  /** A new array in random order (Fisher & Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** The generator's state, to hand to `randomFrom`. */
  state(): readonly number[];
}

/**
 * Random numbers from `seed`, any integer. The same seed gives the same numbers on every machine.
 *
 * @throws RangeError for a seed that is not an integer within 2^53
 */
export const random = (seed: number): Random => randomOver(generator(seed));

/**
 * Random numbers that continue from a saved `state()`.
 *
 * @throws RangeError for a value that is not a generator's state
 */
export const randomFrom = (state: readonly number[]): Random => randomOver(generator(state));

/** Random numbers that a generator's bits give; it advances with them. */
export function randomOver(bits: Generator): Random {
  const uniform = () => ((bits.next() >>> 5) * 2 ** 26 + (bits.next() >>> 6)) * 2 ** -53;
  const below = (n: number) => Math.floor(uniform() * n);
  return {
    ...bits,
    uniform,
    integer: (low, high) => {
      if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low >= high)
        throw new RangeError(`integer: low and high must be integers with low < high, got ${low} and ${high}`);
      return low + below(high - low);
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    pick: (items) => {
      if (items.length === 0) throw new RangeError("pick: expected at least one item, got none");
      return items[below(items.length)]!;
    },
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      return out;
    },
    state: bits.getState,
  };
}
