// Which generators a function draws from, so that the function can be run again with the same numbers.
import { begin } from "../runtime/interrupts.ts";
import type { Generator } from "./types.ts";

/** The state of each generator as it was before the observed function first drew from it. */
type GeneratorStates = ReadonlyMap<Generator, readonly number[]>;

const observers: Map<Generator, readonly number[]>[] = [];

/** Asked at every draw, so that a draw outside `observed` costs one comparison. */
export const isObserved = (): boolean => observers.length > 0;

/** Keeps the state of a generator, for each observer that has none of it yet. */
export function noteState(generator: Generator): void {
  for (let i = observers.length - 1; i >= 0; i--) {
    const states = observers[i]!;
    // Whoever observes an inner function also observes the functions around it.
    if (states.has(generator)) return;
    states.set(generator, generator.getState());
  }
}

/** Runs `f`; gives its result, and the generators that it drew from with their states before. */
export function observed<T>(f: () => T): { result: T; states: GeneratorStates } {
  const states = new Map<Generator, readonly number[]>();
  const open = begin(
    () => observers.push(states),
    () => observers.splice(observers.indexOf(states), 1),
  );
  try {
    return { result: f(), states };
  } finally {
    open.end();
  }
}

/** Runs `f` with generators at the given states, and then puts every generator back, also when `f` throws. */
export function replayed<T>(states: GeneratorStates, f: () => T): T {
  const before = new Map<Generator, readonly number[]>();
  const open = begin(
    () => {
      observers.push(before);
      putBack(states);
    },
    () => {
      observers.splice(observers.indexOf(before), 1);
      putBack(before);
    },
  );
  try {
    return f();
  } finally {
    open.end();
  }
}

/** The last one first: where one generator wraps another, the one that was drawn from earlier has the earlier state. */
function putBack(states: GeneratorStates): void {
  for (const [generator, state] of [...states].reverse()) generator.setState(state);
}
