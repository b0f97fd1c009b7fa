import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { deriveWords } from "./derive.ts";
import { isObserved, noteState } from "./observe.ts";
import type { Generator } from "./types.ts";

/**
 * A generator that starts at a seed, any integer, or goes on from a saved state. The bits come from xoroshiro128+
 * (Blackman and Vigna 2018), its state filled by splitmix32: the same seed gives the same numbers on every machine.
 *
 * @throws RangeError for a seed that is no integer within 2^53, or a state that no generator gave
 */
export function generator(start: number | readonly number[]): Generator {
  let bits = xoroshiro128plusFromState(typeof start === "object" ? checkState(start) : seeded(start));
  const own: Generator = {
    next: () => {
      if (isObserved()) noteState(own);
      return bits.next();
    },
    getState: () => bits.getState(),
    setState: (state) => {
      const next = xoroshiro128plusFromState(checkState(state));
      if (isObserved()) noteState(own);
      bits = next;
    },
  };
  return own;
}

/** xoroshiro128+'s own seeding makes the first number of every small seed almost 1; splitmix spreads them. */
function seeded(seed: number): number[] {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`the seed must be an integer, got ${seed}`);
  // Seeds beyond 32 bits and negative ones would lose their upper word.
  const [first, second] = seed >>> 0 === seed ? [seed, undefined] : deriveWords(seed);
  const one = splitMix(first);
  const other = second === undefined ? one : splitMix(second);
  return [one(), other(), one(), other()];
}

/** splitmix32 (Steele, Lea and Flood 2014), made to fill the state of other generators. */
function splitMix(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

function checkState(state: readonly number[]): readonly number[] {
  const fits =
    Array.isArray(state) && state.length === 4 && state.every(Number.isInteger) && state.some((x) => x !== 0);
  if (!fits) throw new RangeError(`a generator's state is four integers, not all 0, as getState() gives; got ${state}`);
  return state;
}
