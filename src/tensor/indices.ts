// Reads and adds slices at integer indices along an axis.
import { sizeOf } from "../base/shape.ts";
import { isNative, tf } from "../runtime/index.ts";
import { levelsOf, valuesOfAll } from "../runtime/levels.ts";
import { scalar } from "../runtime/native/constants.ts";
import { gather as nativeGather, unsortedSegmentSum } from "../runtime/native/primitives.ts";
import { checkTensor, differentiable, filledLike, permuteTo, reshapeTo, run, scalarOf } from "./engine.ts";
import { checkIsInt32 } from "./int32.ts";
import { shapeText } from "./names.ts";
import { isDirect } from "./primitives.ts";
import type { AnyTensor } from "./types/tensor.ts";

export type Indices = AnyTensor | readonly number[];

/** The indices as an int32 tensor, negative ones counted from the end; throws RangeError for an index out of bounds. */
export function readIndices(op: string, x: AnyTensor, indices: Indices, axis: number): AnyTensor {
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
  checkIsInt32(`${op}: the indices`, tensor);
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

/** The slices at indices that are known to be within bounds. */
export function gatherAt(op: string, x: AnyTensor, positions: AnyTensor, axis: number): AnyTensor {
  return differentiable(op, [x], {
    forward: () => {
      const shape = x.shape.toSpliced(axis, 1, ...positions.shape);
      // WebAssembly's kernel gives the axes of an empty result in another order.
      if (sizeOf(shape) === 0) return filledLike(x, shape, 0);
      if (isDirect() && x.dtype === "float32") return nativeGather(x, positions, scalar(axis, "int32"));
      return run("GatherV2", { x, indices: positions }, { axis, batchDims: 0 });
    },
    keep: () => [positions],
    backward: (dy, [kept]) => [() => scatterAt(op, dy, kept!, x.shape, axis)],
  });
}

/** Zeros of a shape to which slices are added at indices along an axis, which are known to be within bounds. */
export function scatterAt(
  op: string,
  slices: AnyTensor,
  positions: AnyTensor,
  shape: readonly number[],
  axis: number,
): AnyTensor {
  return differentiable(op, [slices], {
    forward: () => addSlices(slices, positions, shape, axis),
    keep: () => [positions],
    backward: (dy, [kept]) => [() => gatherAt(op, dy, kept!, axis)],
  });
}

function addSlices(dy: AnyTensor, positions: AnyTensor, shape: readonly number[], axis: number): AnyTensor {
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
  if (rows.size === 0 || count === 0) return filledLike(rows, [count, rows.shape[1]!], 0);
  if (isDirect() && rows.dtype === "float32") return unsortedSegmentSum(rows, segments, scalar(count, "int32"));
  if (isNative()) return run("UnsortedSegmentSum", { x: rows, segmentIds: segments }, { numSegments: count });
  const indices = reshapeTo(segments, [segments.size, 1]);
  return run("ScatterNd", { indices, updates: rows }, { shape: [count, rows.shape[1]!] });
}

/** The permutation that moves an axis to the end, and the one that moves it back. */
export function lastPlace(rank: number, axis: number): { last: number[]; back: number[] } {
  const last = Array.from({ length: rank }, (_, i) => i)
    .filter((i) => i !== axis)
    .concat(axis);
  return { last, back: last.map((_, i) => last.indexOf(i)) };
}

/** Indices along a last axis of a size, `[..., n]`, as indices of the flattened tensor, `[rows * n]`. */
export function flatPositions(indices: AnyTensor, size: number): AnyTensor {
  const width = indices.shape.at(-1)!;
  const rows = sizeOf(indices.shape.slice(0, -1));
  const starts = tf.tensor2d(
    Int32Array.from({ length: rows }, (_, i) => i * size),
    [rows, 1],
    "int32",
  );
  return reshapeTo(run("Add", { a: reshapeTo(indices, [rows, width]), b: starts }), [rows * width]);
}
