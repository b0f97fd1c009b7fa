// Selects elements by integer tensors.

import { isNative } from "../runtime/index.ts";
import { axisIndex } from "./axes.ts";
import { cast, checkTensor, drop, permuteTo, reshapeTo, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { flatPositions, gatherAt, type Indices, lastPlace, readIndices } from "./indices.ts";
import { checkIsInt32 } from "./int32.ts";
import { readSizes } from "./layout.ts";
import { label, namesOf, shapeText } from "./names.ts";
import type { Axis, AxisOf, Place, SameRank, WithDim } from "./types/axis.ts";
import type { IsUnknown, Shape } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

export type IndicesShape<I> = I extends readonly number[] ? [I["length"]] : ShapeOf<I>;

type Gathered<S extends Shape, A extends Axis, I extends Shape> =
  IsUnknown<I> extends true
    ? Shape
    : Place<S, A> extends infer P
      ? number extends P
        ? I extends readonly [Shape[number]]
          ? SameRank<S>
          : Shape
        : P extends 0
          ? S extends readonly [Shape[number], ...infer R extends Shape]
            ? [...I, ...R]
            : Shape
          : I extends readonly [infer N extends Shape[number]]
            ? WithDim<S, A, N>
            : Shape
      : never;

/**
 * The slices at some indices along an axis, 0 by default, for instance rows of an embedding table: `[100, 64]` with indices
 * of shape `[2, 5]` gives `[2, 5, 64]` (`numpy.take`). The indices are an int32 tensor or an array, negative ones from the end; their
 * shape replaces the axis.
 *
 * @throws RangeError for an index out of bounds; TypeError for indices that are not int32; ShapeError for an unknown axis
 */
export function gather<
  T extends TensorOperand,
  const I extends TensorOperand | readonly number[],
  const A extends Axis = 0,
>(
  x: T,
  indices: I,
  axis?: AxisOf<"gather", ShapeOf<T>, A>,
): Tensor<Gathered<ShapeOf<T>, A, IndicesShape<I>>, DTypeOf<T>>;
export function gather(x: AnyTensor, indices: Indices, axis: Axis = 0): AnyTensor {
  checkTensor("gather", x);
  const axisNumber = axisIndex("gather", x, axis);
  const names = namesOf(x);
  const inner = Array.isArray(indices) ? undefined : namesOf(indices as AnyTensor);
  const result = scoped("gather", () => {
    const positions = readIndices("gather", x, indices, axisNumber);
    return gatherAt("gather", x, positions, axisNumber);
  });
  const rank = result.rank - x.rank + 1;
  return label(
    result,
    (names || inner) &&
      [...(names ?? x.shape.map(() => undefined))].toSpliced(
        axisNumber,
        1,
        ...(inner ?? Array<undefined>(rank).fill(undefined)),
      ),
  );
}

/**
 * Along one axis, the last by default, the elements at `indices` (`numpy.take_along_axis`, `torch.gather`): `[2, 5]` with
 * indices of shape `[2, 3]` gives `[2, 3]`. The int32 indices have the shape of `x` except along that axis.
 *
 * @throws RangeError for an index out of bounds; ShapeError when the shapes do not fit; TypeError for indices that are not int32
 */
export function gatherAlong<T extends TensorOperand, I extends TensorOperand>(
  x: T,
  indices: I,
  axis?: Axis,
): Tensor<ShapeOf<I>, DTypeOf<T>>;
export function gatherAlong(x: AnyTensor, indices: AnyTensor, axis: Axis = -1): AnyTensor {
  checkTensor("gatherAlong", x);
  const axisNumber = axisIndex("gatherAlong", x, axis);
  const fits = indices.rank === x.rank && indices.shape.every((d, i) => i === axisNumber || d === x.shape[i]);
  if (!fits)
    throw new ShapeError(
      `gatherAlong: the indices ${shapeText(indices)} must have the shape ${shapeText(x)} except along axis ${axis}`,
    );
  const result = scoped("gatherAlong", () => {
    const { last, back } = lastPlace(x.rank, axisNumber);
    const moved = permuteTo(x, last);
    const chosen = permuteTo(readIndices("gatherAlong", x, indices, axisNumber), last);
    const flat = flatPositions(chosen, x.shape[axisNumber]!);
    const values = gather(reshapeTo(moved, [moved.size]), flat) as AnyTensor;
    return permuteTo(reshapeTo(values, chosen.shape), back);
  });
  return label(result, namesOf(x));
}

/** The one-hot rows `[n, depth]` of indices `[n]`. WebAssembly's kernel supports only integer types. */
export function hotRows(positions: AnyTensor, depth: number): AnyTensor {
  const dtype = isNative() ? "float32" : "int32";
  const hot = run("OneHot", { indices: positions }, { dtype, depth, onValue: 1, offValue: 0 });
  const result = cast(hot, "float32");
  drop(hot, result);
  return result;
}

/**
 * 1 at the index that each int32 element gives along a new last axis, 0 elsewhere, float32: `[...]` gives `[..., depth]`
 * (`torch.nn.functional.one_hot`).
 *
 * @throws TypeError for indices that are not int32; RangeError when `depth` is not an integer of at least 0
 */
export function oneHot<T extends TensorOperand, const N extends number>(
  indices: T,
  depth: N,
): Tensor<IsUnknown<ShapeOf<T>> extends true ? Shape : [...ShapeOf<T>, N], "float32">;
export function oneHot(indices: AnyTensor, depth: number): AnyTensor {
  checkTensor("oneHot", indices);
  checkIsInt32("oneHot: the indices", indices);
  readSizes("oneHot", [depth]);
  const names = namesOf(indices);
  const result = scoped("oneHot", () =>
    reshapeTo(hotRows(reshapeTo(indices, [indices.size]), depth), [...indices.shape, depth]),
  );
  return label(result, names && [...names, undefined]);
}
