// Rolls, tiles and grids: layouts made of slices and broadcasts.
import { axisIndex } from "./axes.ts";
import { expandTo } from "./broadcast.ts";
import { checkTensor, reshapeTo, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { label, namesOf, shapeText } from "./names.ts";
import type { Axis, AxisOf, SameRank } from "./types/axis.ts";
import type { Dim, IsUnknown } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * Moves the elements along one axis, the last by default, by `shift` places; those that leave at one end return at the other, in the
 * shape of `x` (any shape of at least one axis; `torch.roll`).
 *
 * @throws RangeError for a shift that is not an integer; ShapeError for an unknown axis
 */
export function roll<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  shift: number,
  axis?: AxisOf<"roll", ShapeOf<T>, A>,
): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function roll(x: AnyTensor, shift: number, axis: Axis = -1): AnyTensor {
  checkTensor("roll", x);
  if (!Number.isInteger(shift)) throw new RangeError(`roll: the shift must be an integer, got ${shift}`);
  const place = axisIndex("roll", x, axis);
  const size = x.shape[place]!;
  const cut = x.size === 0 ? 0 : (size - (shift % size)) % size;
  const part = (from: number, to: number) =>
    run(
      "Slice",
      { x },
      { begin: x.shape.map((_, i) => (i === place ? from : 0)), size: x.shape.with(place, to - from) },
    );
  const result = scoped("roll", () =>
    cut === 0
      ? run("Identity", { x })
      : run("Concat", [part(cut, size), part(0, cut)] as unknown as Record<string, AnyTensor>, { axis: place }),
  );
  return label(result, namesOf(x));
}

/**
 * Repeats a tensor along each axis: `tile(x, [2, 3])` of `[4, 5]` gives `[8, 15]` (`numpy.tile`).
 *
 * @throws ShapeError unless there is an integer of at least 0 for each axis
 */
export function tile<T extends TensorOperand>(
  x: T,
  counts: readonly number[],
): Tensor<SameRank<ShapeOf<T>>, DTypeOf<T>>;
export function tile(x: AnyTensor, counts: readonly number[]): AnyTensor {
  checkTensor("tile", x);
  if (counts.length !== x.rank || counts.some((n) => !Number.isInteger(n) || n < 0))
    throw new ShapeError(
      `tile: ${shapeText(x)} needs ${x.rank} integers of at least 0, one for each axis, got [${counts.join(", ")}]`,
    );
  const result = scoped("tile", () => {
    // One axis at a time, because TensorFlow tiles few axes.
    const repeated = counts.reduce((value, count, axis) => {
      if (count === 1) return value;
      const [before, after] = [value.shape.slice(0, axis), value.shape.slice(axis)];
      const rows = before.reduce((n, size) => n * size, 1);
      const rest = after.reduce((n, size) => n * size, 1);
      const wide = expandTo(reshapeTo(value, [rows, 1, rest]), [rows, count, rest]);
      return reshapeTo(wide, value.shape.with(axis, value.shape[axis]! * count));
    }, x);
    return repeated === x ? run("Identity", { x }) : repeated;
  });
  return label(result, namesOf(x));
}

type DimOf<T> = ShapeOf<T> extends [infer D extends Dim] ? D : IsUnknown<ShapeOf<T>> extends true ? number : number;
type GridShape<T extends readonly TensorOperand[]> = { -readonly [I in keyof T]: DimOf<T[I]> };

/**
 * The coordinates of a grid of vectors, one tensor for each: `[m]` and `[n]` give two of `[m, n]`, in which the first changes along the first axis
 * (`torch.meshgrid` with "ij").
 *
 * @throws ShapeError for a tensor that is not a vector, or for none
 */
export function meshgrid<const T extends readonly TensorOperand[]>(
  ...vectors: T
): { -readonly [I in keyof T]: Tensor<GridShape<T> extends infer S extends Dim[] ? S : never, DTypeOf<T[I]>> };
export function meshgrid(...vectors: readonly AnyTensor[]): AnyTensor[] {
  if (vectors.length === 0) throw new ShapeError("meshgrid: expected at least one vector, got none");
  for (const x of vectors) {
    checkTensor("meshgrid", x);
    if (x.rank !== 1) throw new ShapeError(`meshgrid: expected vectors, got shape ${shapeText(x)}`);
  }
  const shape = vectors.map((x) => x.size);
  const names = vectors.map((x) => namesOf(x)?.[0]);
  return scoped("meshgrid", () =>
    vectors.map((x, i) => {
      const wide = expandTo(
        reshapeTo(
          x,
          shape.map((_, axis) => (axis === i ? x.size : 1)),
        ),
        shape,
      );
      return label(wide === x ? run("Identity", { x }) : wide, names);
    }),
  );
}
