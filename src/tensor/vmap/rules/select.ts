// Kernels that read or write elements at indices.
import { runtimeInfo, tf } from "../../../runtime/index.ts";
import type { Level } from "../../../runtime/levels.ts";
import { run, scalarOf } from "../../engine.ts";
import type { AnyTensor } from "../../types/tensor.ts";
import { axisToFront, batched, type Call, folded, type Input, type Rule, readAxis, unfolded } from "../call.ts";
import { eachExample } from "./loop.ts";

const onWasm = runtimeInfo().backend === "wasm";

const gather: Rule = (call) => {
  const { kernel, inputs, attributes, level } = call;
  const { x, indices } = inputs as { x: Input; indices: Input };
  const axis = readAxis(attributes.axis ?? 0, x.shape.length);
  const batchDims = readAxis(attributes.batchDims ?? 0, indices.shape.length);
  const at = (one: AnyTensor, many: AnyTensor, more: object) =>
    run(kernel, { x: one, indices: many }, { ...attributes, ...more });
  if (batchDims === 0 && !indices.batched) return at(x.x, indices.x, { axis: axis + 1, batchDims: 0 });
  // The axes of the indices replace the axis.
  if (batchDims === 0 && !x.batched) return axisToFront(at(x.x, indices.x, { axis, batchDims: 0 }), axis);
  if (batchDims > 0 && onWasm) return eachExample(call);
  if (onWasm) return gatherRows(call, x, indices, axis);
  return at(batched(x, level), batched(indices, level), { axis: axis + 1, batchDims: batchDims + 1 });
};

/** WebAssembly's kernel mixes up batches, so the examples' slices are taken as one list of slices. */
function gatherRows({ kernel, level }: Call, x: Input, indices: Input, axis: number): AnyTensor {
  const [before, size, after] = [x.shape.slice(0, axis), x.shape[axis]!, x.shape.slice(axis + 1)];
  const front = axisToFront(batched(x, level), axis + 1);
  const moved = run("Transpose", { x: front }, { perm: [1, 0, ...front.shape.keys()].toSpliced(2, 2) });
  const many = batched(indices, level);
  const first = run("Multiply", { a: exampleNumbers(level, many.rank), b: scalarOf(size, "int32") });
  const rows = run("Reshape", { x: run("Add", { a: many, b: first }) }, { shape: [many.size] });
  const found = run(kernel, { x: folded(moved), indices: rows }, { axis: 0, batchDims: 0 });
  const shape = [...many.shape, ...before, ...after];
  // [size, ...indices, ...before, ...after] to [size, ...before, ...indices, ...after].
  const axes = [...shape.keys()];
  const [i, b] = [many.rank, many.rank + before.length];
  const perm = [0, ...axes.slice(i, b), ...axes.slice(1, i), ...axes.slice(b)];
  return run("Transpose", { x: run("Reshape", { x: found }, { shape }) }, { perm });
}

/** The numbers of the examples as an int32 tensor that broadcasts to a rank. */
const exampleNumbers = ({ size }: Level, rank: number): AnyTensor =>
  tf.tensor(
    Int32Array.from({ length: size }, (_, i) => i),
    [size, ...Array<number>(rank - 1).fill(1)],
    "int32",
  );

/** Indices `[size, ..., axes]` with the number of the example before the others. */
function withExample(indices: AnyTensor, level: Level): AnyTensor {
  const shape = [...indices.shape.slice(0, -1), 1];
  const numbers = run(
    "Tile",
    { x: exampleNumbers(level, indices.rank) },
    { reps: shape.map((n, i) => (i === 0 ? 1 : n)) },
  );
  const parts = [numbers, indices] as unknown as Record<string, AnyTensor>;
  return run("Concat", parts, { axis: indices.rank - 1 });
}

const gatherNd: Rule = ({ kernel, inputs, level }) => {
  const { params, indices } = inputs as { params: Input; indices: Input };
  if (!params.batched) return run(kernel, { params: params.x, indices: indices.x });
  return run(kernel, { params: params.x, indices: withExample(batched(indices, level), level) });
};

const scatterNd: Rule = ({ kernel, inputs, attributes, level }) => {
  const { indices, updates } = inputs as { indices: Input; updates: Input };
  const shape = [level.size, ...(attributes.shape as number[])];
  const at = withExample(batched(indices, level), level);
  return run(kernel, { indices: at, updates: batched(updates, level) }, { ...attributes, shape });
};

const scatterUpdate: Rule = ({ kernel, inputs, attributes, level }) => {
  const { tensor, indices, updates } = inputs as { tensor: Input; indices: Input; updates: Input };
  const at = withExample(batched(indices, level), level);
  return run(kernel, { tensor: batched(tensor, level), indices: at, updates: batched(updates, level) }, attributes);
};

/** Sums by segment: one for all examples moves their axis to the end, else each example gets segments of its own. */
const segmentSum: Rule = (call) => {
  const { kernel, inputs, attributes, level } = call;
  const { x, segmentIds } = inputs as { x: Input; segmentIds: Input };
  const numSegments = attributes.numSegments as number;
  if (!segmentIds.batched && segmentIds.shape.length === 1) {
    const perm = [1, 0, ...x.x.shape.keys()].toSpliced(2, 2);
    const moved = run("Transpose", { x: x.x }, { perm });
    return run("Transpose", { x: run(kernel, { x: moved, segmentIds: segmentIds.x }, attributes) }, { perm });
  }
  return ownSegments(call, x, segmentIds, numSegments, level);
};

function ownSegments(
  { kernel, attributes }: Call,
  x: Input,
  segmentIds: Input,
  numSegments: number,
  level: Level,
): AnyTensor {
  const ids = batched(segmentIds, level);
  const first = run("Multiply", { a: exampleNumbers(level, ids.rank), b: scalarOf(numSegments, "int32") });
  const own = run("Add", { a: ids, b: first });
  // The kernel leaves out negative segments.
  const condition = run("Less", { a: ids, b: scalarOf(0, "int32") });
  const kept = run("Select", { condition, t: ids, e: own });
  const rows = { x: folded(batched(x, level)), segmentIds: folded(kept) };
  return unfolded(run(kernel, rows, { ...attributes, numSegments: level.size * numSegments }), level);
}

export const selections: Readonly<Record<string, Rule>> = {
  GatherV2: gather,
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  TensorScatterUpdate: scatterUpdate,
  UnsortedSegmentSum: segmentSum,
};
