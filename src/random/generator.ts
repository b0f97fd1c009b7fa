import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { deriveWords } from "./derive.ts";
import { isObserved, noteState } from "./observe.ts";
import type { Generator } from "./types.ts";

/**
 * A generator that starts at a seed, any integer, or continues from a saved state. The bits come from xoroshiro128+
 * (Blackman and Vigna 2018), whose state splitmix32 fills. The same seed gives the same numbers on every machine.
 *
 * @throws RangeError for a seed that is not an integer within 2^53, or a value that is not a generator's state
 */
export function generator(start: number | readonly number[]): Generator {
  let bits = xoroshiro128plusFromState(typeof start === "object" ? checkState(start) : seeded(start));
  const made: Generator = {
    next: () => {
      if (isObserved()) noteState(made);
      return bits.next();
    },
    getState: () => bits.getState(),
    setState: (state) => {
      const next = xoroshiro128plusFromState(checkState(state));
      if (isObserved()) noteState(made);
      bits = next;
    },
  };
  return made;
}

/** With xoroshiro128+'s own seeding the first number of every small seed is almost 1; splitmix spreads them. */
function seeded(seed: number): number[] {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`the seed must be an integer, got ${seed}`);
  // Negative seeds and seeds of more than 32 bits would lose their upper word.
  const [low, high] = seed >>> 0 === seed ? [seed, undefined] : deriveWords(seed);
  const first = splitMix(low);
  const second = high === undefined ? first : splitMix(high);
  return [first(), second(), first(), second()];
}

/** splitmix32 (Steele, Lea and Flood 2014), which fills the state of other generators. */
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
  if (!fits) {
    throw new RangeError(
      `expected a generator's state as getState() gives it (four integers, not all 0), got ${state}`,
    );
  }
  return state;
}
