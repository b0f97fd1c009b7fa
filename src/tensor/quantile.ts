// Quantiles, by sorting.
import { sizeOf } from "../base/shape.ts";
import { tf } from "../runtime/index.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { axisIndices } from "./axes.ts";
import { cast, checkTensor, permuteTo, reshapeTo, run, scoped } from "./engine.ts";
import { inFloat32 } from "./half.ts";
import { gatherAt } from "./indices.ts";
import { label, shapeText } from "./names.ts";
import { type Keep, reducedNames, type Whole, whole } from "./reductions.ts";
import { sort } from "./sort.ts";
import type { AxisList, AxisOf, Reduced } from "./types/axis.ts";
import type { DType, Shape } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";
import { where } from "./where.ts";

/** What stands for a quantile between two elements: a number in proportion between them, the lower, higher or nearest one, or their mean. */
export type QuantileInterpolation = "linear" | "lower" | "higher" | "nearest" | "midpoint";

type Quantiles<Q, S extends Shape> = Q extends readonly number[] ? [Q["length"], ...S] : S;

/**
 * Quantiles over some axes, all by default, in float32: `q` 0.5 of `[2, 3]` over axis 1 gives `[2]`; a list of quantiles adds a first axis, so that
 * `[0.25, 0.75]` gives `[2, 2]` (`torch.quantile`). Between two elements they are interpolated, "linear" by default. NaN where an element is NaN.
 *
 * @throws RangeError for a quantile outside [0, 1], or no elements; ShapeError for an unknown axis
 */
export function quantile<
  T extends TensorOperand,
  const Q extends number | readonly number[],
  const A extends AxisList = undefined,
  K extends boolean = false,
>(
  x: T,
  q: Q,
  axis?: AxisOf<"quantile", ShapeOf<T>, A>,
  options?: Keep<K> & { interpolation?: QuantileInterpolation },
): Tensor<Quantiles<Q, Reduced<ShapeOf<T>, A, K>>, "float32">;
export function quantile(
  x: AnyTensor,
  q: number | readonly number[],
  axes?: AxisList,
  { keepDims = false, interpolation = "linear" }: Keep & { interpolation?: QuantileInterpolation } = {},
): AnyTensor {
  checkTensor("quantile", x);
  const list = typeof q === "number" ? [q] : q;
  for (const each of list)
    if (!(each >= 0 && each <= 1)) throw new RangeError(`quantile: q must be between 0 and 1, got ${each}`);
  const axis = axisIndices("quantile", x, axes);
  checkElements("quantile", x, axis);
  const compute = (given: AnyTensor) =>
    scoped("quantile", () => {
      const sorted = sortedRows(cast(given, "float32"), axis);
      const length = sorted.shape.at(-1)!;
      const ranks = list.map((each) => each * (length - 1));
      return arranged(between(sorted, ranks, interpolation), x.shape, axis, keepDims, typeof q === "number");
    });
  const names = reducedNames(x, axis, keepDims);
  return label(
    inFloat32("quantile", "unlisted", [x], compute),
    names && (typeof q === "number" ? names : [undefined, ...names]),
  );
}

/**
 * The median over some axes, all by default; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`). As `torch.median` it is an element: of an even
 * number the lower of the two in the middle, where NumPy has their mean (`quantile(x, 0.5)`). NaN where an element is NaN.
 *
 * @throws RangeError for no elements; ShapeError for an unknown axis
 */
export function median<T extends TensorOperand, const A extends AxisList = undefined, K extends boolean = false>(
  x: T,
  axis?: AxisOf<"median", ShapeOf<T>, A>,
  options?: Keep<K>,
): Tensor<Reduced<ShapeOf<T>, A, K>, Whole<DTypeOf<T>>>;
export function median(x: AnyTensor, axes?: AxisList, { keepDims = false }: Keep = {}): AnyTensor {
  checkTensor("median", x);
  const axis = axisIndices("median", x, axes);
  checkElements("median", x, axis);
  const result = scoped("median", () => {
    const sorted = sortedRows(cast(x, whole(x.dtype as DType)), axis);
    const value = between(sorted, [(sorted.shape.at(-1)! - 1) / 2], "lower");
    return arranged(value, x.shape, axis, keepDims, true);
  });
  return label(result, reducedNames(x, axis, keepDims));
}

function checkElements(op: string, x: AnyTensor, axis: readonly number[]): void {
  if (axis.some((each) => x.shape[each] === 0))
    throw new RangeError(`${op}: expected at least one element, got shape ${shapeText(x)}`);
}

/** The elements over some axes, sorted along a new last one. */
function sortedRows(x: AnyTensor, axis: readonly number[]): AnyTensor {
  const kept = x.shape.flatMap((_, i) => (axis.includes(i) ? [] : [i]));
  const rows = permuteTo(x, [...kept, ...axis]);
  const length = sizeOf(axis.map((i) => x.shape[i]!));
  return sort(reshapeTo(rows, [...kept.map((i) => x.shape[i]!), length])).values as AnyTensor;
}

/** Halves go to the even one, as in NumPy and PyTorch. */
function nearest(rank: number): number {
  const below = Math.floor(rank);
  const isBelow = rank - below < 0.5 || (rank - below === 0.5 && below % 2 === 0);
  return isBelow ? below : below + 1;
}

const places: Record<QuantileInterpolation, (rank: number) => [lower: number, upper: number, weight: number]> = {
  linear: (rank) => [Math.floor(rank), Math.ceil(rank), rank - Math.floor(rank)],
  midpoint: (rank) => [Math.floor(rank), Math.ceil(rank), 0.5],
  lower: (rank) => [Math.floor(rank), Math.floor(rank), 0],
  higher: (rank) => [Math.ceil(rank), Math.ceil(rank), 0],
  nearest: (rank) => [nearest(rank), nearest(rank), 0],
};

/** What stands at the ranks of sorted rows, `[..., ranks]`. */
function between(sorted: AnyTensor, ranks: readonly number[], interpolation: QuantileInterpolation): AnyTensor {
  const found = ranks.map(places[interpolation]);
  const last = sorted.rank - 1;
  const at = (positions: number[]) => gatherAt("quantile", sorted, tf.tensor1d(positions, "int32"), last);
  const lower = at(found.map(([place]) => place));
  const isPlain = found.every(([from, to]) => from === to);
  const value = isPlain
    ? lower
    : (add(
        lower,
        mul(
          sub(at(found.map(([, place]) => place)), lower),
          tf.tensor1d(
            found.map(([, , weight]) => weight),
            "float32",
          ),
        ) as never,
      ) as AnyTensor);
  if (sorted.dtype !== "float32") return value;
  // NaN is sorted to the end.
  const largest = at([sorted.shape[last]! - 1]);
  return where(run("IsNan", { x: largest }), largest, value) as AnyTensor;
}

/** Moves the axis of the quantiles to the front, or removes it, and puts in ones for the axes that are kept. */
function arranged(
  value: AnyTensor,
  shape: readonly number[],
  axis: readonly number[],
  keepDims: boolean,
  isOne: boolean,
): AnyTensor {
  const left = shape.flatMap((size, i) => (axis.includes(i) ? (keepDims ? [1] : []) : [size]));
  if (isOne) return reshapeTo(value, left);
  const order = [value.rank - 1, ...Array.from({ length: value.rank - 1 }, (_, i) => i)];
  return reshapeTo(permuteTo(value, order), [value.shape.at(-1)!, ...left]);
}
