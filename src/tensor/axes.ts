// Axes by number or by name, at run time.
import { ShapeError } from "./errors.ts";
import { namesOf, shapeText } from "./names.ts";
import type { Axis } from "./types/axis.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** The index of an axis. Throws ShapeError when the tensor does not have it. */
export function axisIndex(op: string, x: AnyTensor, axis: Axis, rank: number = x.shape.length): number {
  const index = typeof axis === "string" ? (namesOf(x)?.indexOf(axis) ?? -1) : axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(index) || index < 0 || index >= rank)
    throw new ShapeError(`${op}: axis ${axis} is not in ${shapeText(x)}`);
  return index;
}

/** The indices of some axes in ascending order, each once; of all axes by default. */
export function axisIndices(op: string, x: AnyTensor, axes: Axis | readonly Axis[] | undefined): number[] {
  if (axes === undefined) return x.shape.map((_, i) => i);
  const list = (typeof axes === "object" ? axes : [axes]).map((axis) => axisIndex(op, x, axis));
  return [...new Set(list)].sort((a, b) => a - b);
}
