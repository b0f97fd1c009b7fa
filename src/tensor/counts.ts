// Distinct elements, counts and places in sorted lists. The result depends on the data, so that these wait for the device.

import { engine } from "../runtime/index.ts";
import { levelsOf, noRule } from "../runtime/levels.ts";
import { readFloat64 } from "../storage/index.ts";
import { cast, checkTensor, reshapeTo, sameShape, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { gatherAt, scatterAt } from "./indices.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { noGrad } from "./tape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";
import { oneByOne } from "./vmap/one-by-one.ts";

const integersOf = (values: Int32Array, shape: readonly number[]): AnyTensor =>
  engine.makeTensor(values, [...shape], "int32") as AnyTensor;

/** NaN after every number. */
const inOrder = (a: number, b: number): number =>
  a < b ? -1 : a > b ? 1 : a === b ? 0 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));

/**
 * The distinct elements in ascending order, `values` of `[n]`; for each element of `x` (any shape) its place among them, `inverse`; and how often each
 * occurs, `counts` of `[n]`; both int32 (`torch.unique`). NaN counts as one value, the last, as in NumPy.
 *
 * @throws Error for a tensor that a vmap maps, because the shape of the result depends on the values
 */
export function unique<T extends TensorOperand>(
  x: T,
): { values: Tensor<[number], DTypeOf<T>>; inverse: Tensor<ShapeOf<T>, "int32">; counts: Tensor<[number], "int32"> };
export function unique(x: AnyTensor): { values: AnyTensor; inverse: AnyTensor; counts: AnyTensor } {
  checkTensor("unique", x);
  if (levelsOf(x).length > 0) throw new Error(noRule("unique, whose shape depends on the values"));
  const numbers = readFloat64(x);
  const order = Int32Array.from(numbers.keys()).sort((i, j) => inOrder(numbers[i]!, numbers[j]!) || i - j);
  const [firsts, counts, inverse]: [number[], number[], Int32Array] = [[], [], new Int32Array(numbers.length)];
  for (const [n, i] of order.entries()) {
    if (n === 0 || inOrder(numbers[order[n - 1]!]!, numbers[i]!) !== 0) {
      firsts.push(i);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[i] = counts.length - 1;
  }
  const count = firsts.length;
  const values = noGrad(() =>
    // Gathered, so that they are stored as `x` is.
    scoped("unique", () => gatherAt("unique", reshapeTo(x, [x.size]), integersOf(Int32Array.from(firsts), [count]), 0)),
  );
  return {
    values,
    inverse: label(integersOf(inverse, x.shape), namesOf(x)),
    counts: integersOf(Int32Array.from(counts), [count]),
  };
}

/**
 * How often each integer from 0 on occurs in an int32 tensor of any shape, `[n]` for a largest element of n - 1, int32 (`torch.bincount`). With
 * `weights` of the same shape, the sums of their elements, float32, with a gradient for them. `minLength` is the least n, 0 by default.
 *
 * @throws TypeError for elements that are not int32; RangeError for a negative element or `minLength`; ShapeError for weights of another shape
 */
export function bincount<T extends TensorOperand, W extends TensorOperand | undefined = undefined>(
  x: T,
  options?: { weights?: W; minLength?: number },
): Tensor<[number], W extends undefined ? "int32" : "float32">;
export function bincount(
  x: AnyTensor,
  { weights, minLength = 0 }: { weights?: AnyTensor; minLength?: number } = {},
): AnyTensor {
  checkTensor("bincount", x);
  if (x.dtype !== "int32") throw new TypeError(`bincount: expected an int32 tensor, got ${x.dtype}`);
  if (!Number.isInteger(minLength) || minLength < 0)
    throw new RangeError(`bincount: minLength must be an integer of at least 0, got ${minLength}`);
  if (weights) {
    checkTensor("bincount", weights);
    if (!sameShape(weights.shape, x.shape))
      throw new ShapeError(`bincount: the weights must have the shape ${shapeText(x)}, got ${shapeText(weights)}`);
  }
  const counts = oneByOne("bincount", [x], (own) => countsOf(own, minLength));
  if (!weights) return counts;
  const { shape } = counts;
  counts.dispose();
  return scoped("bincount", () =>
    scatterAt("bincount", reshapeTo(cast(weights, "float32"), [x.size]), reshapeTo(x, [x.size]), shape, 0),
  );
}

function countsOf(x: AnyTensor, minLength: number): AnyTensor {
  const values = x.dataSync() as Int32Array;
  let length = minLength;
  for (const value of values) {
    if (value < 0) throw new RangeError(`bincount: the elements must be at least 0, got ${value}`);
    length = Math.max(length, value + 1);
  }
  const counts = new Int32Array(length);
  for (const value of values) counts[value]!++;
  return integersOf(counts, [length]);
}

/**
 * How many elements of a tensor of any shape fall into each of `bins` equal intervals from `min` to `max`, the smallest and the largest element by
 * default: `[bins]`, float32 (`torch.histc`). The last interval includes `max`; elements outside and NaN are not counted.
 *
 * @throws RangeError when `bins` is not an integer of at least 1, or the range is not finite
 */
export function histc<T extends TensorOperand, const N extends number = 100>(
  x: T,
  bins?: N,
  options?: { min?: number; max?: number },
): Tensor<[N], "float32">;
export function histc(x: AnyTensor, bins = 100, options: { min?: number; max?: number } = {}): AnyTensor {
  checkTensor("histc", x);
  if (!Number.isInteger(bins) || bins < 1)
    throw new RangeError(`histc: bins must be an integer of at least 1, got ${bins}`);
  return oneByOne("histc", [x], (own) => histogramOf(own, bins, options));
}

function histogramOf(x: AnyTensor, bins: number, options: { min?: number; max?: number }): AnyTensor {
  const values = readFloat64(x);
  let [low, high] = [options.min ?? Number.POSITIVE_INFINITY, options.max ?? Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (options.min === undefined) low = Math.min(low, value);
    if (options.max === undefined) high = Math.max(high, value);
  }
  if (values.length === 0 && low > high) [low, high] = [0, 0];
  if (low === high) [low, high] = [low - 1, high + 1];
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    throw new RangeError(`histc: the range must be finite with min < max, got ${low} to ${high}; give min and max`);
  const counts = new Float32Array(bins);
  for (const value of values) {
    if (!(value >= low && value <= high)) continue;
    counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))]!++;
  }
  return engine.makeTensor(counts, [bins], "float32") as AnyTensor;
}

/**
 * Where each element would be put into a sorted sequence: the first place ("left", the default) or the last ("right") that keeps it sorted, int32
 * (`torch.searchsorted`). A sequence `[n]` takes values of any shape; sequences `[..., n]` take values `[..., m]`, row by row.
 *
 * @throws ShapeError when the rows do not fit; TypeError for a sequence that is a scalar
 */
export function searchSorted<S extends TensorOperand, T extends TensorOperand>(
  sorted: S,
  values: T,
  side?: "left" | "right",
): Tensor<ShapeOf<T>, "int32">;
export function searchSorted(sorted: AnyTensor, values: AnyTensor, side: "left" | "right" = "left"): AnyTensor {
  for (const x of [sorted, values]) checkTensor("searchSorted", x);
  if (sorted.rank === 0)
    throw new TypeError("searchSorted: expected a sorted sequence of at least one axis, got a scalar");
  const isShared = sorted.rank === 1;
  const rowsFit = sorted.rank === values.rank && sorted.shape.slice(0, -1).every((size, i) => size === values.shape[i]);
  if (!isShared && !rowsFit)
    throw new ShapeError(
      `searchSorted: the values ${shapeText(values)} must have the axes of the sequences ${shapeText(sorted)} but for the last`,
    );
  const found = oneByOne("searchSorted", [sorted, values], (own, wanted) => placesOf(own, wanted, side));
  return label(found, namesOf(values));
}

function placesOf(sorted: AnyTensor, values: AnyTensor, side: "left" | "right"): AnyTensor {
  const isShared = sorted.rank === 1;
  const [from, wanted] = [readFloat64(sorted), readFloat64(values)];
  const length = sorted.shape.at(-1)!;
  const width = isShared ? wanted.length : values.shape.at(-1)!;
  const found = Int32Array.from(wanted, (value, i) => {
    const start = isShared ? 0 : Math.floor(i / width) * length;
    let [low, high] = [0, length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = inOrder(from[start + middle]!, value);
      if (side === "left" ? order < 0 : order <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  });
  return integersOf(found, values.shape);
}
