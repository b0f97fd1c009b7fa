// Which tensors `vmap` has batched. A tensor inside of a vmap has the shape of one example; its data has an axis more for each
// level, the outermost first. A level stays valid after its vmap has returned, for the backward pass.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { begin, uninterrupted } from "./interrupts.ts";
import { engine } from "./load.ts";
import * as hooks from "./tfjs/hooks.ts";

/** Whether random ops inside of a vmap give each example its own numbers, all the same ones, or refuse. */
export type Randomness = "different" | "same" | "error";

/** One call of a vmapped function. */
export interface Level {
  /** Grows from call to call, so that an inner level has a larger one than those around it. */
  readonly id: number;
  /** The number of examples; it does not change once a tensor is of the level. */
  size: number;
  readonly randomness: Randomness;
}

const none: readonly Level[] = [];
const marks = new WeakMap<Tensor, readonly Level[]>();
let open: readonly Level[] = none;
let lastId = 0;
let isUsed = false;

/** The levels at which a tensor has a value for each example, the outermost first. */
export const levelsOf = (x: Tensor): readonly Level[] => (isUsed ? (marks.get(x) ?? none) : none);

/** The levels of the vmapped functions that run now, the outermost first. */
export const openLevels = (): readonly Level[] => open;

/** Does a vmapped function run? Then TensorFlow's ops must not be called past tfjs' kernels. */
export const isBatching = (): boolean => open.length > 0;

export function newLevel(size: number, randomness: Randomness): Level {
  if (!isUsed) {
    hooks.observed.subscribe("vmap", refuseExamples);
    hooks.op.subscribe("vmap", (next) => (op) => {
      for (const x of op.inputs) if (marks.has(x as Tensor)) throw new Error(noRule(op.name));
      return next(op);
    });
  }
  isUsed = true;
  return { id: ++lastId, size, randomness };
}

export const noRule = (op: string): string =>
  `vmap: there is no batching rule for ${op}; call it outside of the vmapped function, or loop over the examples`;

/** Throws for a tensor of a vmapped function, whose values cannot be read there. */
export function refuseExamples(x: Tensor): void {
  if (levelsOf(x).length === 0) return;
  const shape = `[${x.shape.join(", ")}]`;
  throw new Error(
    `vmap: the tensor ${shape} inside of a vmapped function has one value for each example, so it cannot be read or ` +
      "stored in a variable there; return it from the function",
  );
}

/** Runs `f` inside of more levels. */
export function within<T>(levels: readonly Level[], f: () => T): T {
  const added = levels.filter((level) => !open.includes(level));
  if (added.length === 0) return f();
  const all = [...open, ...added].sort((one, other) => one.id - other.id);
  return withOpen(all, f);
}

/** Runs `f` outside of every vmapped function, with tensors that are the same for all of its examples. */
export const outside = <T>(f: () => T): T => (open.length === 0 ? f() : withOpen(none, f));

/** Runs `f` with these open levels in place of those that are open now. */
function withOpen<T>(levels: readonly Level[], f: () => T): T {
  const before = open;
  const change = begin(
    () => {
      open = levels;
    },
    () => {
      open = before;
    },
  );
  try {
    return f();
  } finally {
    change.end();
  }
}

/** The levels of several tensors, the outermost first. */
export function levelsOfAll(tensors: Iterable<Tensor | null | undefined>): readonly Level[] {
  if (!isUsed) return none;
  let found = none;
  for (const x of tensors) {
    const levels = x ? (marks.get(x) ?? none) : none;
    const added = levels.filter((level) => !found.includes(level));
    if (added.length > 0) found = [...found, ...added].sort((one, other) => one.id - other.id);
  }
  return found;
}

/** A tensor with the data of another, seen with another shape at other levels. The number of elements is the same. */
export const seenAs = (x: Tensor, shape: number[], levels: readonly Level[]): Tensor =>
  uninterrupted(() => {
    (engine.backend as unknown as { incRef(dataId: object): void }).incRef(x.dataId);
    const seen = engine.makeTensorFromTensorInfo({ dataId: x.dataId, shape, dtype: x.dtype });
    if (levels.length > 0) marks.set(seen, levels);
    return seen;
  });

/** All examples of a tensor as one tensor without levels, their axes first. A new tensor, which the caller disposes. */
export const allExamples = (x: Tensor): Tensor => seenAs(x, [...levelsOf(x).map(({ size }) => size), ...x.shape], none);

/** Gives a new tensor, whose first axes are those of the levels, the shape of one example. */
export function asExamples(x: Tensor, levels: readonly Level[]): Tensor {
  if (levels.length === 0) return x;
  const seen = seenAs(x, x.shape.slice(levels.length), levels);
  x.dispose();
  return seen;
}

/** Runs `f`, which treats each element alone, on the examples of a tensor together. */
export function throughLevels(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const levels = levelsOf(x);
  if (levels.length === 0) return f(x);
  const all = allExamples(x);
  try {
    return asExamples(f(all), levels);
  } finally {
    all.dispose();
  }
}

/** The values of a tensor of numbers, of all examples; for checks. */
export function valuesOfAll(x: Tensor): Float32Array | Int32Array | Uint8Array {
  if (levelsOf(x).length === 0) return x.dataSync() as Float32Array | Int32Array | Uint8Array;
  const all = allExamples(x);
  try {
    return all.dataSync().slice() as Float32Array | Int32Array | Uint8Array;
  } finally {
    all.dispose();
  }
}

/** The levels at which a random op draws numbers for each example. Throws where a vmap refuses randomness. */
export function randomLevels(op: string): readonly Level[] {
  if (open.length === 0) return none;
  if (open.some(({ randomness }) => randomness === "error"))
    throw new Error(`${op}: the vmap around it has the randomness "error"; use "different" or "same"`);
  return open.filter(({ randomness }) => randomness === "different");
}
