// Selects elements by integer tensors.

import { sizeOf } from "../base/shape.ts";
import { runtimeInfo, tf } from "../runtime/index.ts";
import { asExamples, levelsOf, valuesOfAll } from "../runtime/levels.ts";
import { scalar } from "../runtime/native/op.ts";
import { gather as nativeGather, unsortedSegmentSum } from "../runtime/native/primitives.ts";
import { axisIndex } from "./axes.ts";
import { broadcastNames, broadcastShape, expandTo } from "./broadcast.ts";
import { cast, checkTensor, differentiable, permuteTo, reshapeTo, run, scalarOf, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { int32Of } from "./int32.ts";
import { readSizes } from "./layout.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { isDirect } from "./primitives.ts";
import { hasNaN } from "./reductions.ts";
import type { Axis, AxisOf, Place, SameRank, WithDim } from "./types/axis.ts";
import type { Broadcast, DType, IfBroadcast, IsUnknown, Shape } from "./types/shape.ts";
import type {
  AnyTensor,
  DTypeOf,
  NumberOrTensor,
  Operand,
  ShapeOf,
  Tensor,
  TensorOperand,
  WiderDType,
} from "./types/tensor.ts";

export type Indices = AnyTensor | readonly number[];
type IndicesShape<I> = I extends readonly number[] ? [I["length"]] : ShapeOf<I>;

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

/** The indices as an int32 tensor, negative ones counted from the end; throws RangeError for an index out of bounds. */
function readIndices(op: string, x: AnyTensor, indices: Indices, axis: number): AnyTensor {
  const size = x.shape[axis]!;
  const fail = (index: number): never => {
    throw new RangeError(
      `${op}: index ${index} is out of bounds for axis ${axis} of size ${size} (shape ${shapeText(x)})`,
    );
  };
  if (Array.isArray(indices)) {
    const positions = Int32Array.from(indices as number[], (index) => {
      if (!Number.isInteger(index) || index < -size || index >= size) fail(index);
      return index < 0 ? index + size : index;
    });
    return tf.tensor1d(positions, "int32");
  }
  const tensor = indices as AnyTensor;
  checkTensor(op, tensor);
  if (tensor.dtype !== "int32") throw new TypeError(`${op}: the indices must be an int32 tensor, got ${tensor.dtype}`);
  const positions = valuesOfAll(tensor);
  let negative = false;
  for (const index of positions) {
    if (index < -size || index >= size) fail(index);
    if (index < 0) negative = true;
  }
  if (!negative) return tensor;
  if (levelsOf(tensor).length > 0) {
    const condition = run("Less", { a: tensor, b: scalarOf(0, "int32") });
    return run("Select", { condition, t: run("Add", { a: tensor, b: scalarOf(size, "int32") }), e: tensor });
  }
  return tf.tensor(
    Int32Array.from(positions, (index) => (index < 0 ? index + size : index)),
    tensor.shape,
    "int32",
  );
}

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

/** The slices at indices that are known to be within bounds. */
export function gatherAt(op: string, x: AnyTensor, positions: AnyTensor, axis: number): AnyTensor {
  return differentiable(op, [x], {
    forward: () => {
      const shape = x.shape.toSpliced(axis, 1, ...positions.shape);
      // WebAssembly's kernel gives the axes of an empty result in another order.
      if (sizeOf(shape) === 0) return tf.zeros(shape, x.dtype as "float32");
      if (isDirect() && x.dtype === "float32") return nativeGather(x, positions, scalar(axis, "int32"));
      return run("GatherV2", { x, indices: positions }, { axis, batchDims: 0 });
    },
    keep: () => [positions],
    backward: (dy, [kept]) => [() => scatterSlices(dy, kept!, x.shape, axis)],
  });
}

const onWasm = runtimeInfo().backend === "wasm";

/** Adds slices to zeros of a shape, at indices along an axis. */
function scatterSlices(dy: AnyTensor, positions: AnyTensor, shape: readonly number[], axis: number): AnyTensor {
  const [before, size, after] = [shape.slice(0, axis), shape[axis]!, shape.slice(axis + 1)];
  if (axis === 0 && shape.length === 2 && positions.rank === 1) return sumRows(dy, positions, size);
  const flat = reshapeTo(dy, [sizeOf(before), positions.size, sizeOf(after)]);
  const front = permuteTo(flat, [1, 0, 2]);
  const rows = reshapeTo(front, [positions.size, sizeOf(before) * sizeOf(after)]);
  const segments = reshapeTo(positions, [positions.size]);
  const total = sumRows(rows, segments, size);
  const back = permuteTo(reshapeTo(total, [size, sizeOf(before), sizeOf(after)]), [1, 0, 2]);
  return reshapeTo(back, shape);
}

/** Row i of the result is the sum of the rows whose segment is i. */
function sumRows(rows: AnyTensor, segments: AnyTensor, count: number): AnyTensor {
  if (rows.size === 0) return tf.zeros([count, rows.shape[1]!]);
  if (isDirect()) return unsortedSegmentSum(rows, segments, scalar(count, "int32"));
  if (!onWasm) return run("UnsortedSegmentSum", { x: rows, segmentIds: segments }, { numSegments: count });
  const indices = reshapeTo(segments, [segments.size, 1]);
  return run("ScatterNd", { indices, updates: rows }, { shape: [count, rows.shape[1]!] });
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
    const size = x.shape[axisNumber]!;
    const last = [...x.shape.keys()].filter((i) => i !== axisNumber).concat(axisNumber);
    const moved = permuteTo(x, last);
    const chosen = permuteTo(readIndices("gatherAlong", x, indices, axisNumber), last);
    const rows = moved.size / Math.max(1, size);
    const width = chosen.shape.at(-1)!;
    const starts = tf.tensor2d(
      Int32Array.from({ length: rows }, (_, i) => i * size),
      [rows, 1],
      "int32",
    );
    const flat = run("Add", { a: reshapeTo(chosen, [rows, width]), b: starts });
    const values = gather(reshapeTo(moved, [moved.size]), reshapeTo(flat, [rows * width])) as AnyTensor;
    return permuteTo(
      reshapeTo(values, chosen.shape),
      last.map((_, i) => last.indexOf(i)),
    );
  });
  return label(result, namesOf(x));
}

/** The one-hot rows `[n, depth]` of indices `[n]`. WebAssembly's kernel supports only integer types. */
export function hotRows(positions: AnyTensor, depth: number): AnyTensor {
  const dtype = onWasm ? "int32" : "float32";
  return cast(run("OneHot", { indices: positions }, { dtype, depth, onValue: 1, offValue: 0 }), "float32");
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
  if (indices.dtype !== "int32")
    throw new TypeError(`oneHot: the indices must be an int32 tensor, got ${indices.dtype}`);
  readSizes("oneHot", [depth]);
  const names = namesOf(indices);
  const result = scoped("oneHot", () =>
    reshapeTo(hotRows(reshapeTo(indices, [indices.size]), depth), [...indices.shape, depth]),
  );
  return label(result, names && [...names, undefined]);
}

/**
 * `a` where `condition`, a bool tensor, is true and `b` elsewhere; elementwise, broadcasts (`numpy.where`).
 *
 * @throws TypeError for a condition that is not bool; ShapeError when the shapes do not broadcast; RangeError for a number
 *   outside int32 where the result is int32
 */
export function where<C extends TensorOperand, A extends NumberOrTensor, B extends NumberOrTensor>(
  condition: C,
  a: IfBroadcast<"where", ShapeOf<C>, ShapeOf<A>, A>,
  b: IfBroadcast<"where", Broadcast<ShapeOf<C>, ShapeOf<A>>, ShapeOf<B>, B>,
): Tensor<Broadcast<Broadcast<ShapeOf<C>, ShapeOf<A>>, ShapeOf<B>>, WiderDType<A, B>>;
export function where(condition: AnyTensor, a: Operand, b: Operand): AnyTensor {
  checkTensor("where", condition);
  for (const x of [a, b]) if (typeof x !== "number") checkTensor("where", x);
  if (condition.dtype !== "bool")
    throw new TypeError(`where: the condition must be a bool tensor, got ${condition.dtype}`);
  let names = namesOf(condition);
  const result = scoped("where", () => {
    const dtype = commonOf(a, b);
    const element = (v: number) => scalarOf(dtype === "int32" ? int32Of("where", v) : v, dtype);
    const [x, y] = [a, b].map((v) => (typeof v === "number" ? element(v) : cast(v, dtype))) as [AnyTensor, AnyTensor];
    names = broadcastNames("where", condition, x);
    const wide = broadcastShape(condition.shape, x.shape);
    const middle = label({ shape: wide, dtype, rank: wide.length } as unknown as AnyTensor, names);
    names = broadcastNames("where", middle, y);
    const shape = broadcastShape(wide, y.shape);
    return run("Select", { condition: expandTo(condition, shape), t: expandTo(x, shape), e: expandTo(y, shape) });
  });
  return label(result, names);
}

function commonOf(a: Operand, b: Operand): DType {
  const tensors = [a, b].filter((x) => typeof x !== "number");
  if (
    tensors.length > 0 &&
    tensors.every((x) => x.dtype !== "float32") &&
    [a, b].every((x) => typeof x !== "number" || Number.isInteger(x))
  )
    return tensors.every((x) => x.dtype === "bool") && tensors.length === 2 ? "bool" : "int32";
  return "float32";
}

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
    const chosen = x.dtype === "float32" && k > 0 ? (gatherAlong(x, positions!) as AnyTensor) : top!;
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
 * Sorts along the last axis, in ascending order by default, and gives the values and their indices: `[..., n]` gives two of
 * `[..., n]`. The sort is not stable. NaN is larger than every number, as in NumPy and PyTorch.
 *
 * @throws ShapeError for a scalar
 */
export function sort<T extends TensorOperand>(
  x: T,
  direction?: "ascending" | "descending",
): { values: Tensor<ShapeOf<T>, DTypeOf<T>>; indices: Tensor<ShapeOf<T>, "int32"> };
export function sort(
  x: AnyTensor,
  direction: "ascending" | "descending" = "ascending",
): { values: AnyTensor; indices: AnyTensor } {
  checkTensor("sort", x);
  const { values, indices } = topK(x, x.shape[axisIndex("sort", x, -1)]!) as { values: AnyTensor; indices: AnyTensor };
  if (direction === "descending") return { values, indices };
  const dims = [x.rank - 1];
  const [up, positions] = [values, indices].map((t) => label(run("Reverse", { x: t }, { dims }), namesOf(x))) as [
    AnyTensor,
    AnyTensor,
  ];
  values.dispose();
  indices.dispose();
  return { values: up, indices: positions };
}
