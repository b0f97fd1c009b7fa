// One kernel on its way through a level of vmap, as the batching rules see it.
import type { Level } from "../../runtime/levels.ts";
import { type Attributes, run } from "../engine.ts";
import type { AnyTensor } from "../types/tensor.ts";

/** An input of a kernel. */
export interface Input {
  /** With the examples along its first axis where `batched`. */
  x: AnyTensor;
  batched: boolean;
  /** The shape of one example. */
  shape: readonly number[];
}

export interface Call {
  kernel: string;
  inputs: Readonly<Record<string, Input>>;
  /** The inputs of joining kernels, which have no names. */
  list: readonly Input[];
  attributes: Attributes;
  level: Level;
}

/** Runs a kernel on all examples; the results have the examples along their first axis. */
export type Rule = (call: Call) => AnyTensor | AnyTensor[];

/** An input with the examples along its first axis, repeated where it is the same for all. */
export function batched({ x, batched, shape }: Input, { size }: Level): AnyTensor {
  if (batched) return x;
  const one = run("Reshape", { x }, { shape: [1, ...shape] });
  return run("Tile", { x: one }, { reps: [size, ...shape.map(() => 1)] });
}

/** An input whose axes are padded with ones to a rank, so that it broadcasts with the others. */
export function padded({ x, batched, shape }: Input, rank: number): AnyTensor {
  if (!batched || shape.length === rank) return x;
  const ones = Array<number>(rank - shape.length).fill(1);
  return run("Reshape", { x }, { shape: [x.shape[0]!, ...ones, ...shape] });
}

/** The axes counted from the front; all of them when none is given. */
export function readAxes(axes: unknown, rank: number): number[] {
  if (axes === undefined || axes === null) return [...Array(rank).keys()];
  return [axes].flat().map((axis) => ((axis as number) < 0 ? (axis as number) + rank : (axis as number)));
}

export const readAxis = (axis: unknown, rank: number): number => readAxes(axis, rank)[0]!;

/** The first two axes as one, and back. */
export const folded = (x: AnyTensor): AnyTensor =>
  run("Reshape", { x }, { shape: [x.shape[0]! * x.shape[1]!, ...x.shape.slice(2)] });
export const unfolded = (x: AnyTensor, { size }: Level): AnyTensor =>
  run("Reshape", { x }, { shape: [size, x.shape[0]! / size, ...x.shape.slice(1)] });

/** Moves the axis of the examples to the front. */
export function axisToFront(x: AnyTensor, axis: number): AnyTensor {
  if (axis === 0) return x;
  return run("Transpose", { x }, { perm: [axis, ...[...x.shape.keys()].filter((i) => i !== axis)] });
}
