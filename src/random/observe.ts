// Records which generators a function draws from, so that the function can run again with the same numbers.
import { begin } from "../runtime/interrupts.ts";
import type { Generator } from "./types.ts";

/** The state of each generator as it was before the observed function first drew from it. */
type GeneratorStates = ReadonlyMap<Generator, readonly number[]>;

const observers: Map<Generator, readonly number[]>[] = [];

/** Checked at every draw; without an observer a draw costs one comparison more. */
export const isObserved = (): boolean => observers.length > 0;

/** Saves the state of a generator for each observer that has not saved it yet. */
export function noteState(generator: Generator): void {
  for (let i = observers.length - 1; i >= 0; i--) {
    const states = observers[i]!;
    // The draw that gave this observer the state also gave it to the observers around it.
    if (states.has(generator)) return;
    states.set(generator, generator.getState());
  }
}

/** Runs `f` and gives its result, with the generators that it drew from and their states before. */
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

let replays = 0;

/** Whether a function runs again whose draws were observed, as a checkpointed one does in the backward pass. */
export const isReplaying = (): boolean => replays > 0;

/** Runs `f` with the generators at the given states, then restores every generator, also when `f` throws. */
export function replayed<T>(states: GeneratorStates, f: () => T): T {
  const before = new Map<Generator, readonly number[]>();
  const open = begin(
    () => {
      observers.push(before);
      replays++;
      restore(states);
    },
    () => {
      observers.splice(observers.indexOf(before), 1);
      replays--;
      restore(before);
    },
  );
  try {
    return f();
  } finally {
    open.end();
  }
}

/** In reverse order: where one generator wraps another, the one that was drawn from first has the earlier state. */
function restore(states: GeneratorStates): void {
  for (const [generator, state] of [...states].reverse()) generator.setState(state);
}
