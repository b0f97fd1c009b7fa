// Numbers as int32, without overflow.

import { broadcastIndex } from "../runtime/broadcast-index.ts";
import { allExamples, levelsOf, valuesOfAll } from "../runtime/levels.ts";
import { readFloat64 } from "../storage/index.ts";
import { reduceOver } from "./engine.ts";
import { noGrad } from "./tape.ts";
import type { AnyTensor } from "./types/tensor.ts";

const [lowest, highest] = [-(2 ** 31), 2 ** 31 - 1];

const fits = (value: number): boolean => Math.trunc(value) >= lowest && Math.trunc(value) <= highest;

/** The number without its fraction; throws RangeError for a number outside int32. */
export function int32Of(op: string, value: number, place = ""): number {
  if (fits(value)) return Math.trunc(value);
  throw new RangeError(`${op}: int32 holds integers from ${lowest} to ${highest}, got ${value}${place}; use float32`);
}

/** The same for each number of an array, which lies in this shape; a new array. */
export function int32Values(op: string, values: ArrayLike<number>, shape: readonly number[]): Int32Array {
  if (values instanceof Int32Array) return values.slice();
  return Int32Array.from(values, (value, i) => (fits(value) ? value : int32Of(op, value, placeText(i, shape))));
}

/** Throws RangeError when a tensor has an element outside int32. */
export function checkInt32(op: string, x: AnyTensor): void {
  // The lowest int32 is beyond the highest by its size alone.
  if (x.size === 0 || largestSize(x) <= highest) return;
  withAllExamples(x, (all) => int32Values(op, readFloat64(all), all.shape));
}

/** Throws TypeError for a tensor of another dtype; `what` says in which place of which function it stands. */
export function checkIsInt32(what: string, { dtype }: AnyTensor): void {
  if (dtype === "int32") return;
  throw new TypeError(
    `${what} must be an int32 tensor, got ${dtype}: use tensor(values, { dtype: "int32" }) or x.toInt()`,
  );
}

interface Totals {
  kind: "sum" | "prod";
  /** Every partial total along the axis counts. */
  isRunning?: boolean;
  exclusive?: boolean;
  reverse?: boolean;
}

/** Throws RangeError when a total of int32 elements over some axes, or any one of a running total, does not fit in int32. */
export function checkTotals(op: string, x: AnyTensor, axes: readonly number[], totals: Totals): void {
  if (x.dtype !== "int32" || x.size === 0) return;
  const added = levelsOf(x).length;
  if (added > 0) {
    const moved = axes.map((axis) => axis + added);
    withAllExamples(x, (all) => checkTotals(op, all, moved, totals));
    return;
  }
  const { kind, isRunning = false, exclusive = false, reverse = false } = totals;
  const count = axes.reduce((n, axis) => n * x.shape[axis]!, 1);
  const largest = largestSize(x);
  if ((kind === "prod" ? largest ** count : largest * count) <= highest) return;
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const found = new Float64Array(x.size / count).fill(kind === "prod" ? 1 : 0);
  const values = x.dataSync();
  for (let n = 0; n < values.length; n++) {
    const i = reverse ? values.length - 1 - n : n;
    const place = broadcastIndex(kept, x.shape, i);
    const before = found[place]!;
    found[place] = kind === "prod" ? before * values[i]! : before + values[i]!;
    if (isRunning) int32Of(op, exclusive ? before : found[place], placeText(i, x.shape));
  }
  if (!isRunning) {
    const left = x.shape.filter((_, axis) => !axes.includes(axis));
    int32Values(op, found, left);
  }
}

function withAllExamples(x: AnyTensor, f: (all: AnyTensor) => unknown): void {
  const all = allExamples(x);
  try {
    f(all);
  } finally {
    all.dispose();
  }
}

/** Not by Abs: that of the lowest int32 is itself. */
function largestSize(x: AnyTensor): number {
  const all = [...x.shape.keys()];
  const ends = noGrad(() => [reduceOver("Max", x, all), reduceOver("Min", x, all)]);
  const [most, least] = ends.map(valuesOfAll) as [Int32Array, Int32Array];
  for (const end of ends) end.dispose();
  let largest = 0;
  for (let i = 0; i < most.length; i++) largest = Math.max(largest, most[i]!, -least[i]!);
  return largest;
}

/** A bound for int32 elements, at most as far as they reach. */
export const int32Bound = (value: number): number => Math.min(Math.max(value, lowest), highest);

function placeText(place: number, shape: readonly number[]): string {
  if (shape.length === 0) return "";
  const at = shape.map(() => 0);
  for (let axis = shape.length - 1, rest = place; axis >= 0; axis--) {
    at[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return ` at [${at.join(", ")}]`;
}
