// Ops that only move elements: reshape, transpose and others.

import { sizeOf } from "../base/shape.ts";
import { axisIndex, axisIndices } from "./axes.ts";
import { checkTensor, permuteTo, reshapeTo, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { int32Of } from "./int32.ts";
import { type AxisNames, label, namesOf, shapeText, sizesText } from "./names.ts";
import type { Axis, AxisOf, Place, Reduced, SameRank } from "./types/axis.ts";
import type { IfReshape, Permuted, ReshapeTo, Squeezed, Unsqueezed } from "./types/layout.ts";
import type { Shape, Size } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** A new tensor even where nothing moved, so that either may be disposed of. */
const fresh = (result: AnyTensor, x: AnyTensor): AnyTensor => (result === x ? run("Identity", { x }) : result);

/** The numbers and the names of sizes such as `[{ batch: 32 }, 10]`. */
export function readSizes(op: string, sizes: readonly Size[]): { shape: number[]; names: AxisNames | undefined } {
  const pairs = sizes.map((size): [string | undefined, number] => {
    if (typeof size === "number") return [undefined, size];
    const [entry, ...more] = Object.entries(size);
    if (!entry || more.length > 0)
      throw new TypeError(`${op}: a named size must have exactly one name, got ${JSON.stringify(size)}`);
    return entry;
  });
  for (const [name, size] of pairs)
    if (!Number.isInteger(size) || size < 0)
      throw new RangeError(`${op}: a size must be an integer of at least 0, got ${size}${name ? ` for ${name}` : ""}`);
  const names = pairs.map(([name]) => name);
  return { shape: pairs.map(([, size]) => size), names: names.some(Boolean) ? names : undefined };
}

/**
 * The same elements in another shape: `[4, 6]` to `[2, 12]`. One size may be -1 and is inferred; sizes may have names.
 *
 * @throws ShapeError when the number of elements differs; RangeError for another negative or fractional size;
 *   TypeError for a named size without exactly one name
 */
export function reshape<T extends TensorOperand, const N extends readonly Size[]>(
  x: T,
  shape: IfReshape<ShapeOf<T>, N, N>,
): Tensor<ReshapeTo<ShapeOf<T>, N>, DTypeOf<T>>;
export function reshape(x: AnyTensor, sizes: readonly Size[]): AnyTensor {
  checkTensor("reshape", x);
  const open = sizes.indexOf(-1);
  const { shape, names } = readSizes("reshape", open < 0 ? sizes : sizes.map((size, i) => (i === open ? 0 : size)));
  const wanted = sizesText(
    shape.map((size, i) => (i === open ? -1 : size)),
    names,
  );
  if (open >= 0) {
    const rest = sizeOf(shape.filter((_, i) => i !== open));
    const share = rest === 0 ? 0 : x.size / rest;
    if (!Number.isInteger(share)) throw new ShapeError(`reshape: ${shapeText(x)} cannot be reshaped to ${wanted}`);
    shape[open] = share;
  }
  if (sizeOf(shape) !== x.size) throw new ShapeError(`reshape: ${shapeText(x)} cannot be reshaped to ${wanted}`);
  return label(fresh(reshapeTo(x, shape), x), names);
}

/**
 * Permutes the axes, given by number or name, and reverses them by default: `[2, 3, 4]` with order `[0, 2, 1]` gives
 * `[2, 4, 3]`.
 *
 * @throws ShapeError when `order` is not a permutation of the axes
 */
export function transpose<T extends TensorOperand, const A extends readonly Axis[] | undefined = undefined>(
  x: T,
  order?: AxisOf<"transpose", ShapeOf<T>, A>,
): Tensor<Permuted<ShapeOf<T>, A>, DTypeOf<T>>;
export function transpose(x: AnyTensor, order?: readonly Axis[]): AnyTensor {
  checkTensor("transpose", x);
  const perm = order?.map((axis) => axisIndex("transpose", x, axis)) ?? x.shape.map((_, i) => x.rank - 1 - i);
  if (perm.length !== x.rank || new Set(perm).size !== perm.length)
    throw new ShapeError(`transpose: [${order?.join(", ")}] is not a permutation of the axes of ${shapeText(x)}`);
  const names = namesOf(x);
  return label(fresh(permuteTo(x, perm), x), names && perm.map((axis) => names[axis]));
}

type Swapped<S extends Shape, A extends Axis, B extends Axis> =
  Place<S, A> extends infer P extends number
    ? Place<S, B> extends infer Q extends number
      ? number extends P | Q
        ? SameRank<S>
        : { -readonly [I in keyof S]: I extends `${P}` ? S[Q] : I extends `${Q}` ? S[P] : S[I] }
      : Shape
    : Shape;

/**
 * Swaps two axes: `[2, 3, 4]` with axes 0 and 2 gives `[4, 3, 2]` (`numpy.swapaxes`).
 *
 * @throws ShapeError for an unknown axis
 */
export function swapAxes<T extends TensorOperand, const A extends Axis, const B extends Axis>(
  x: T,
  a: AxisOf<"swapAxes", ShapeOf<T>, A>,
  b: AxisOf<"swapAxes", ShapeOf<T>, B>,
): Tensor<Swapped<ShapeOf<T>, A, B>, DTypeOf<T>>;
export function swapAxes(x: AnyTensor, a: Axis, b: Axis): AnyTensor {
  checkTensor("swapAxes", x);
  const [p, q] = [axisIndex("swapAxes", x, a), axisIndex("swapAxes", x, b)];
  const perm = x.shape.map((_, i) => (i === p ? q : i === q ? p : i));
  const names = namesOf(x);
  return label(fresh(permuteTo(x, perm), x), names && perm.map((axis) => names[axis]));
}

/**
 * Removes all axes of size 1, or the given ones: `[2, 1, 3]` gives `[2, 3]`.
 *
 * @throws ShapeError when a given axis is not of size 1, or unknown
 */
export function squeeze<T extends TensorOperand, const A extends Axis | readonly Axis[] | undefined = undefined>(
  x: T,
  axis?: AxisOf<"squeeze", ShapeOf<T>, A>,
): Tensor<[A] extends [undefined] ? Squeezed<ShapeOf<T>> : Reduced<ShapeOf<T>, A>, DTypeOf<T>>;
export function squeeze(x: AnyTensor, axes?: Axis | readonly Axis[]): AnyTensor {
  checkTensor("squeeze", x);
  const gone = axes === undefined ? x.shape.flatMap((d, i) => (d === 1 ? [i] : [])) : axisIndices("squeeze", x, axes);
  for (const axis of gone)
    if (x.shape[axis] !== 1)
      throw new ShapeError(`squeeze: axis ${axis} of ${shapeText(x)} must have size 1, got ${x.shape[axis]}`);
  const kept = x.shape.flatMap((_, i) => (gone.includes(i) ? [] : [i]));
  const result = fresh(
    reshapeTo(
      x,
      kept.map((i) => x.shape[i]!),
    ),
    x,
  );
  const names = namesOf(x);
  return label(result, names && kept.map((i) => names[i]));
}

/**
 * Inserts an axis of size 1 at an index, -1 for the end: `[2, 3]` at 0 gives `[1, 2, 3]`.
 *
 * @throws ShapeError for an index outside the result's axes
 */
export function unsqueeze<T extends TensorOperand, const A extends number>(
  x: T,
  axis: A,
): Tensor<Unsqueezed<ShapeOf<T>, A>, DTypeOf<T>>;
export function unsqueeze(x: AnyTensor, axis: number): AnyTensor {
  checkTensor("unsqueeze", x);
  const place = axisIndex("unsqueeze", x, axis, x.rank + 1);
  const names = namesOf(x);
  return label(reshapeTo(x, x.shape.toSpliced(place, 0, 1)), names?.toSpliced(place, 0, undefined));
}

/**
 * Reverses the elements along some axes, all by default, in the shape of `x` (any shape).
 *
 * @throws ShapeError for an unknown axis
 */
export function flip<T extends TensorOperand, const A extends Axis | readonly Axis[] | undefined = undefined>(
  x: T,
  axis?: AxisOf<"flip", ShapeOf<T>, A>,
): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function flip(x: AnyTensor, axes?: Axis | readonly Axis[]): AnyTensor {
  checkTensor("flip", x);
  const dims = axisIndices("flip", x, axes);
  return label(dims.length === 0 ? fresh(x, x) : run("Reverse", { x }, { dims }), namesOf(x));
}

/**
 * Adds `before` and `after` elements of a value, 0 by default, along each axis: `pad(x, [[1, 1], [0, 2]])` of `[2, 3]` gives
 * `[4, 5]` (`numpy.pad`).
 *
 * @throws ShapeError unless there is a pair of integers of at least 0 for each axis; RangeError for a value outside int32 where
 *   the dtype is int32
 */
export function pad<T extends TensorOperand>(
  x: T,
  widths: readonly (readonly [before: number, after: number])[],
  value?: number,
): Tensor<SameRank<ShapeOf<T>>, DTypeOf<T>>;
export function pad(x: AnyTensor, widths: readonly (readonly [number, number])[], value = 0): AnyTensor {
  checkTensor("pad", x);
  if (widths.length !== x.rank || widths.flat().some((n) => !Number.isInteger(n) || n < 0))
    throw new ShapeError(
      `pad: ${shapeText(x)} needs ${x.rank} pairs of integers of at least 0, got ${JSON.stringify(widths)}`,
    );
  if (x.rank === 0) return clone(x);
  const constantValue = x.dtype === "int32" ? int32Of("pad", value) : x.dtype === "bool" ? Number(value !== 0) : value;
  const padded = (y: AnyTensor, paddings: number[][]) => run("PadV2", { x: y }, { paddings, constantValue });
  const pairs = widths.map((pair) => [...pair]);
  // TensorFlow's kernel takes six axes; of more, each is padded by itself, those around it being one each.
  const result =
    x.rank <= 6
      ? padded(x, pairs)
      : scoped("pad", () =>
          pairs.reduce((y, pair, axis) => {
            const [before, size, after] = [y.shape.slice(0, axis), y.shape[axis]!, y.shape.slice(axis + 1)];
            const flat = reshapeTo(y, [sizeOf(before), size, sizeOf(after)]);
            const wider = padded(flat, [[0, 0], pair, [0, 0]]);
            return reshapeTo(wider, [...before, wider.shape[1]!, ...after]);
          }, x),
        );
  return label(result, namesOf(x));
}

/** A new tensor of any shape that shares the elements of `x`; nothing is copied. Each can be disposed without the other. */
export function clone<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function clone(x: AnyTensor): AnyTensor {
  checkTensor("clone", x);
  return label(
    scoped("clone", () => run("Identity", { x })),
    namesOf(x),
  );
}
