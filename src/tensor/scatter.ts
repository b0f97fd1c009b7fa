// Puts elements at integer indices of a copy, or adds them there.
import { sizeOf } from "../base/shape.ts";
import { engine, tf } from "../runtime/index.ts";
import { asExamples, levelsOf, valuesOfAll } from "../runtime/levels.ts";
import { add } from "./arithmetic.ts";
import { axisIndex } from "./axes.ts";
import { expandTo } from "./broadcast.ts";
import { checkTensor, filledLike, permuteTo, reshapeTo, run, sameShape, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { flatPositions, gatherAt, type Indices, lastPlace, readIndices, scatterAt } from "./indices.ts";
import { int32Of } from "./int32.ts";
import { label, namesOf, shapeText, sizesText } from "./names.ts";
import type { Axis, AxisOf } from "./types/axis.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, NumberOrTensor, Operand, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

type Scatter<Op extends string, Default extends number> = <T extends TensorOperand, const A extends Axis = Default>(
  x: T,
  indices: Op extends "scatter" | "scatterAdd" ? TensorOperand : TensorOperand | readonly number[],
  source: NumberOrTensor,
  axis?: AxisOf<Op, ShapeOf<T>, A>,
) => Tensor<ShapeOf<T>, DTypeOf<T>>;

/** The source in the dtype of `x` and in a shape; a number is repeated. */
function readSource(op: string, x: AnyTensor, source: Operand, shape: readonly number[]): AnyTensor {
  const dtype = x.dtype as DType;
  if (typeof source === "number") return filledLike(x, shape, dtype === "int32" ? int32Of(op, source) : source);
  checkTensor(op, source);
  if (source.dtype !== x.dtype)
    throw new TypeError(`${op}: the source must be ${x.dtype} as the tensor is, got ${source.dtype}`);
  if (!sameShape(source.shape, shape))
    throw new ShapeError(`${op}: the source must have the shape ${sizesText(shape)}, got ${shapeText(source)}`);
  return source;
}

/** Slices of `source` in place of those of `x` at positions along an axis; of equal positions the last holds. */
function replaceAt(op: string, x: AnyTensor, source: AnyTensor, positions: AnyTensor, axis: number): AnyTensor {
  const size = x.shape[axis]!;
  // Inside of a vmap, of all examples.
  const levels = levelsOf(positions);
  const shape = [...levels.map((level) => level.size), size];
  const chosen = new Int32Array(sizeOf(shape));
  const isHit = new Uint8Array(chosen.length);
  for (const [i, position] of valuesOfAll(positions).entries()) {
    const at = Math.floor(i / positions.size) * size + position;
    chosen[at] = i % positions.size;
    isHit[at] = 1;
  }
  if (positions.size === 0 || x.size === 0) return run("Identity", { x });
  const slices = gatherAt(op, source, asExamples(tf.tensor(chosen, shape, "int32"), levels), axis);
  const rows = [...shape, ...x.shape.slice(axis + 1).map(() => 1)];
  const mask = asExamples(engine.makeTensor(isHit, rows, "bool") as AnyTensor, levels);
  return run("Select", { condition: expandTo(mask, x.shape), t: slices, e: x });
}

function along(op: string, x: AnyTensor, indices: AnyTensor, source: Operand, axis: Axis, isSum: boolean): AnyTensor {
  checkTensor(op, x);
  checkTensor(op, indices);
  const place = axisIndex(op, x, axis);
  const fits = indices.rank === x.rank && indices.shape.every((size, i) => i === place || size === x.shape[i]);
  if (!fits)
    throw new ShapeError(
      `${op}: the indices ${shapeText(indices)} must have the shape ${shapeText(x)} except along axis ${axis}`,
    );
  const result = scoped(op, () => {
    const { last, back } = lastPlace(x.rank, place);
    const moved = permuteTo(x, last);
    const chosen = permuteTo(readIndices(op, x, indices, place), last);
    const flat = flatPositions(chosen, x.shape[place]!);
    const elements = reshapeTo(permuteTo(readSource(op, x, source, indices.shape), last), [indices.size]);
    const base = reshapeTo(moved, [x.size]);
    const value = isSum
      ? (add(base, scatterAt(op, elements, flat, [x.size], 0)) as AnyTensor)
      : replaceAt(op, base, elements, flat, 0);
    return permuteTo(reshapeTo(value, moved.shape), back);
  });
  return label(result, namesOf(x));
}

function slices(op: string, x: AnyTensor, indices: Indices, source: Operand, axis: Axis, isSum: boolean): AnyTensor {
  checkTensor(op, x);
  const place = axisIndex(op, x, axis);
  const result = scoped(op, () => {
    const positions = readIndices(op, x, indices, place);
    if (positions.rank !== 1)
      throw new ShapeError(`${op}: the indices must be a list or a tensor of one axis, got ${shapeText(positions)}`);
    const values = readSource(op, x, source, x.shape.with(place, positions.size));
    return isSum
      ? (add(x, scatterAt(op, values, positions, x.shape, place)) as AnyTensor)
      : replaceAt(op, x, values, positions, place);
  });
  return label(result, namesOf(x));
}

const checkNumeric = (op: string, x: AnyTensor): void => {
  if (x.dtype === "bool") throw new TypeError(`${op}: bools cannot be added; convert them with asType(x, "int32")`);
};

/**
 * A copy of `x` with the elements of `source` at `indices` along one axis, the last by default (`torch.scatter`): `x` of `[2, 5]`, indices and source of
 * `[2, 3]` give `[2, 5]`. The int32 indices have the shape of `x` except along that axis, the source has theirs or is a number. Where indices are equal
 * the last element holds, and it alone gets the gradient.
 *
 * @throws RangeError for an index out of bounds; ShapeError when the shapes do not fit; TypeError for indices that are not int32, or a source of
 *   another dtype
 */
export const scatter = ((x: AnyTensor, indices: AnyTensor, source: Operand, axis: Axis = -1) =>
  along("scatter", x, indices, source, axis, false)) as Scatter<"scatter", -1>;
/**
 * A copy of `x` to which the elements of `source` are added at `indices` along one axis, the last by default (`torch.scatter_add`): `x` of `[2, 5]`,
 * indices and source of `[2, 3]` give `[2, 5]`. The int32 indices have the shape of `x` except along that axis, the source has theirs or is a number.
 *
 * @throws RangeError for an index out of bounds; ShapeError when the shapes do not fit; TypeError for indices that are not int32, a source of
 *   another dtype, or bools
 */
export const scatterAdd = ((x: AnyTensor, indices: AnyTensor, source: Operand, axis: Axis = -1) => {
  checkNumeric("scatterAdd", x);
  return along("scatterAdd", x, indices, source, axis, true);
}) as Scatter<"scatterAdd", -1>;
/**
 * A copy of `x` with the slices of `source` at indices along one axis, 0 by default (`torch.index_copy`, JAX's `x.at[i].set`): `x` of `[5, 3]`, two
 * indices and a source of `[2, 3]` give `[5, 3]`. The indices are an array or an int32 tensor, the source may be a number. Of equal indices the last holds.
 *
 * @throws RangeError for an index out of bounds; ShapeError when the shapes do not fit; TypeError for indices that are not int32, or a source of
 *   another dtype
 */
export const indexCopy = ((x: AnyTensor, indices: Indices, source: Operand, axis: Axis = 0) =>
  slices("indexCopy", x, indices, source, axis, false)) as Scatter<"indexCopy", 0>;
/**
 * A copy of `x` to which the slices of `source` are added at indices along one axis, 0 by default (`torch.index_add`, JAX's `x.at[i].add`): `x` of
 * `[5, 3]`, two indices and a source of `[2, 3]` give `[5, 3]`. The indices are an array or an int32 tensor, the source may be a number.
 *
 * @throws RangeError for an index out of bounds; ShapeError when the shapes do not fit; TypeError for indices that are not int32, a source of
 *   another dtype, or bools
 */
export const indexAdd = ((x: AnyTensor, indices: Indices, source: Operand, axis: Axis = 0) => {
  checkNumeric("indexAdd", x);
  return slices("indexAdd", x, indices, source, axis, true);
}) as Scatter<"indexAdd", 0>;
