// Orders elements: the largest, sorted values and the indices that sort.
import { sizeOf } from "../base/shape.ts";
import { tf } from "../runtime/index.ts";
import { asExamples, levelsOf, valuesOfAll } from "../runtime/levels.ts";
import { axisIndex } from "./axes.ts";
import { cast, checkTensor, permuteTo, run, scoped } from "./engine.ts";
import { gatherAlong } from "./gather.ts";
import { lastPlace } from "./indices.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { hasNaN } from "./reductions.ts";
import { noGrad } from "./tape.ts";
import type { Axis, AxisOf, WithDim } from "./types/axis.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

export type Direction = "ascending" | "descending";

/**
 * The `k` largest elements along the last axis, in descending order, and their indices: `[..., n]` gives two of `[..., k]`. As
 * in PyTorch, NaN is larger than every number.
 *
 * @throws RangeError when `k` is not an integer from 0 to n; ShapeError for a scalar
 */
export function topK<T extends TensorOperand, const K extends number>(
  x: T,
  k: K,
): { values: Tensor<WithDim<ShapeOf<T>, -1, K>, DTypeOf<T>>; indices: Tensor<WithDim<ShapeOf<T>, -1, K>, "int32"> };
export function topK(x: AnyTensor, k: number): { values: AnyTensor; indices: AnyTensor } {
  checkTensor("topK", x);
  const size = x.shape[axisIndex("topK", x, -1)]!;
  if (!Number.isInteger(k) || k < 0 || k > size)
    throw new RangeError(`topK: k must be between 0 and ${size} for ${shapeText(x)}, got ${k}`);
  const [values, indices] = scoped("topK", () => {
    const [positions, top] =
      k > 0 && hasNaN(x)
        ? [indicesOfLargest(x, k)]
        : (run("TopK", { x: x.dtype === "bool" ? cast(x, "int32") : x }, { k, sorted: true }) as unknown as AnyTensor[])
            .map((t, i) => (i === 0 ? cast(t, x.dtype as DType) : t))
            .reverse();
    // The kernel has no gradient; the gather of the same elements has.
    const chosen = x.dtype === "float32" ? (gatherAlong(x, positions!) as AnyTensor) : top!;
    return [chosen, positions!];
  }) as [AnyTensor, AnyTensor];
  return { values: label(values, namesOf(x)), indices: label(indices, namesOf(x)) };
}

/** The indices of the largest elements of rows with NaN; the kernels' result depends on the position of a NaN. */
function indicesOfLargest(x: AnyTensor, k: number): AnyTensor {
  const values = valuesOfAll(x);
  const width = x.shape.at(-1)!;
  const levels = levelsOf(x);
  const shape = [...levels.map(({ size }) => size), ...x.shape.slice(0, -1), k];
  const positions = new Int32Array(sizeOf(shape));
  const above = (a: number, b: number) => (Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : Number.isNaN(b) ? 1 : b - a);
  const order = new Int32Array(width);
  for (let row = 0; row * k < positions.length; row++) {
    const start = row * width;
    for (let i = 0; i < width; i++) order[i] = i;
    // Infinity less itself is NaN, which sorts as 0.
    order.sort((i, j) => above(values[start + i]!, values[start + j]!) || i - j);
    positions.set(order.subarray(0, k), row * k);
  }
  return asExamples(tf.tensor(positions, shape, "int32"), levels);
}

/**
 * Sorts along one axis, the last by default, in ascending order by default, and gives the values and their indices: `[..., n]` gives
 * two of `[..., n]`. The sort is not stable. NaN is larger than every number, as in NumPy and PyTorch.
 *
 * @throws ShapeError for an unknown axis
 */
export function sort<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  direction?: Direction,
  axis?: AxisOf<"sort", ShapeOf<T>, A>,
): { values: Tensor<ShapeOf<T>, DTypeOf<T>>; indices: Tensor<ShapeOf<T>, "int32"> };
export function sort(
  x: AnyTensor,
  direction: Direction = "ascending",
  axis: Axis = -1,
): { values: AnyTensor; indices: AnyTensor } {
  checkTensor("sort", x);
  const place = axisIndex("sort", x, axis);
  const { last, back } = lastPlace(x.rank, place);
  const [values, indices] = scoped("sort", () => {
    const { values, indices } = topK(permuteTo(x, last), x.shape[place]!) as { values: AnyTensor; indices: AnyTensor };
    return [values, indices].map((found) => {
      const ordered = direction === "descending" ? found : run("Reverse", { x: found }, { dims: [x.rank - 1] });
      return permuteTo(ordered, back);
    });
  }) as [AnyTensor, AnyTensor];
  return { values: label(values, namesOf(x)), indices: label(indices, namesOf(x)) };
}

/**
 * The indices that sort along one axis, the last by default, in ascending order by default, int32: `[..., n]` gives `[..., n]`
 * (`torch.argsort`). As `sort`, it is not stable, and NaN is larger than every number.
 *
 * @throws ShapeError for an unknown axis
 */
export function argSort<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  direction?: Direction,
  axis?: AxisOf<"argSort", ShapeOf<T>, A>,
): Tensor<ShapeOf<T>, "int32">;
export function argSort(x: AnyTensor, direction: Direction = "ascending", axis: Axis = -1): AnyTensor {
  checkTensor("argSort", x);
  const place = axisIndex("argSort", x, axis);
  const { values, indices } = noGrad(() => sort(x, direction, place as never)) as {
    values: AnyTensor;
    indices: AnyTensor;
  };
  values.dispose();
  return indices;
}
