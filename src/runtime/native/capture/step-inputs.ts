// What a step declares of itself, so that it can be replayed: JavaScript that must run each time, and what it changes.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../load.ts";
import { replayNotes, uncaptured } from "./active.ts";
import type { TensorLike } from "./replay.ts";
import { type PartArguments, plainArguments } from "./replay-notes.ts";

export { Given } from "./replay-notes.ts";

/**
 * Runs a part of a step that makes tensors of what the step is given, `make(...args)`. Where the step's JavaScript does not run again,
 * this part does, so it must read nothing but its arguments and what lasts. Its arguments are objects that the step is given, its
 * tensors, lists of numbers and texts that follow from shapes, or values that are always the same. What it gives besides tensors must
 * be the same each time that the shapes are.
 */
export function stepInput<A extends unknown[], T>(make: (...args: A) => T, ...args: PartArguments<A>): T {
  const result = uncaptured(() => make(...plainArguments<A>(args)));
  replayNotes()?.notePart(make as never, args, result);
  return result;
}

/** The same for a list of numbers, which differ from step to step. `uploaded` makes tensors of it. */
export function stepNumbers<A extends unknown[], T extends readonly number[]>(
  make: (...args: A) => T,
  ...args: PartArguments<A>
): T {
  const numbers = uncaptured(() => make(...plainArguments<A>(args)));
  replayNotes()?.noteNumbers(make as never, args, numbers);
  return numbers;
}

/** A tensor of a list of numbers, which may be one of `stepNumbers`. */
export function uploaded(numbers: readonly number[], shape: number[], dtype: "float32" | "int32"): Tensor {
  const tensor = tf.tensor([...numbers], shape, dtype);
  replayNotes()?.noteTensorOf(numbers, tensor);
  return tensor;
}

/** Declares tensors that the step uses, and that something replaces from step to step. The function is always the same one. */
export function stepState(state: () => readonly TensorLike[]): void {
  replayNotes()?.noteState(state);
}

/** Changes what lasts by results of a step, a tree of tensors: `apply` must do all of it. */
export function commit<T>(results: T, apply: (results: T) => void): void {
  const notes = replayNotes();
  if (notes) notes.commit(results, apply);
  else apply(results);
}

/** The JavaScript of the step that runs now must run each time. */
export const preventReplay = (reason: string): void => replayNotes()?.prevent(reason);
