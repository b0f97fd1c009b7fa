import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/**
 * Seeded random numbers whose state can be saved and taken up again.
 *
 * The bits come from xoroshiro128+ (Blackman & Vigna 2018); the same seed gives the same numbers on every machine.
 */
export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number;
  /** Uniform integer in [low, high], both included. */
  integer(low: number, high: number): number;
  /** Standard normal (Box & Muller 1958). */
  normal(): number;
  pick<T>(items: readonly T[]): T;
  /** A new array in random order (Fisher & Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** The generator's state, to hand to `randomFrom`. */
  state(): readonly number[];
}

/** A generator that starts at `seed`, any integer. */
export function random(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed must be an integer, got ${seed}`);
  return over(xoroshiro128plus(seed));
}

/** A generator that goes on from a saved `state()`. */
export function randomFrom(state: readonly number[]): Random {
  return over(xoroshiro128plusFromState(state));
}

function over(bits: ReturnType<typeof xoroshiro128plus>): Random {
  const uniform = () => uniformFloat64(bits);
  const integer = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1));
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    pick: (items) => items[integer(0, items.length - 1)]!,
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = integer(0, i);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      return out;
    },
    state: () => bits.getState(),
  };
}
