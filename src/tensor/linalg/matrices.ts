// What the functions of matrices share: checks, and the arithmetic of their gradients on batches [b, m, n].
import { sizeOf } from "../../base/shape.ts";
import { engine } from "../../runtime/index.ts";
import { cast, checkTensor, reshapeTo, run, scalarOf, scoped } from "../engine.ts";
import { ShapeError } from "../errors.ts";
import { inFloat32 } from "../half.ts";
import { batchMatmul } from "../matmul.ts";
import { type AxisNames, dimText, namesOf, shapeText } from "../names.ts";
import type { AnyTensor } from "../types/tensor.ts";

/** Throws unless the last two axes are a matrix. */
export function checkMatrix(op: string, a: AnyTensor): void {
  checkTensor(op, a);
  if (a.rank < 2) throw new ShapeError(`${op}: expected matrices of at least two axes, got ${shapeText(a)}`);
}

/** Throws unless the last two axes are a square matrix. */
export function checkSquare(op: string, a: AnyTensor): void {
  checkMatrix(op, a);
  const names = namesOf(a);
  const [m, n] = [a.shape[a.rank - 2]!, a.shape[a.rank - 1]!];
  const [left, right] = [names?.[a.rank - 2], names?.[a.rank - 1]];
  if (m !== n || (left !== undefined && right !== undefined && left !== right))
    throw new ShapeError(
      `${op}: the matrices of ${shapeText(a)} must be square: ${dimText(m, left)} is not ${dimText(n, right)}`,
    );
}

/** The names of the batch axes, and others after them. */
export function namesBeside(a: AnyTensor, ...last: (string | undefined)[]): AxisNames | undefined {
  const names = namesOf(a);
  return names && [...names.slice(0, -2), ...last];
}

export const singular = (op: string, a: AnyTensor) => (): Error =>
  new RangeError(`${op}: a matrix of ${shapeText(a)} is singular`);

/** Runs `f` on the matrices as float32 batches [b, m, n]; halves are rounded at the end. */
export function onBatch(op: string, a: AnyTensor, f: (batch: AnyTensor) => AnyTensor): AnyTensor {
  const [m, n] = [a.shape[a.rank - 2]!, a.shape[a.rank - 1]!];
  const compute = (x: AnyTensor) =>
    scoped(op, () => f(reshapeTo(cast(x, "float32"), [sizeOf(a.shape.slice(0, -2)), m, n])));
  return inFloat32(op, "float32", [a], compute);
}

/** A part of joined results, [b, numbers], in its own shape. */
export function partOf(joined: AnyTensor, from: number, shape: readonly number[]): AnyTensor {
  const [rows] = joined.shape as [number];
  const size = sizeOf(shape);
  return reshapeTo(run("Slice", { x: joined }, { begin: [0, from], size: [rows, size] }), [rows, ...shape]);
}

export const product = (a: AnyTensor, b: AnyTensor): AnyTensor => batchMatmul(a, b);
/** A^T B. */
export const productTA = (a: AnyTensor, b: AnyTensor): AnyTensor => batchMatmul(a, b, true, false);
/** A B^T. */
export const productTB = (a: AnyTensor, b: AnyTensor): AnyTensor => batchMatmul(a, b, false, true);
export const plus = (a: AnyTensor, b: AnyTensor): AnyTensor => run("Add", { a, b });
export const minus = (a: AnyTensor, b: AnyTensor): AnyTensor => run("Sub", { a, b });
export const times = (a: AnyTensor, b: AnyTensor): AnyTensor => run("Multiply", { a, b });
export const over = (a: AnyTensor, b: AnyTensor): AnyTensor => run("RealDiv", { a, b });
export const negative = (x: AnyTensor): AnyTensor => run("Neg", { x });
export const turned = (x: AnyTensor): AnyTensor => run("Transpose", { x }, { perm: [0, 2, 1] });

/** (X + X^T) / 2. */
export const symmetricPart = (x: AnyTensor): AnyTensor => times(plus(x, turned(x)), scalarOf(0.5, "float32"));

/** A matrix [n, n] of numbers made from row and column. */
export const pattern = (n: number, f: (row: number, column: number) => number): AnyTensor =>
  engine.makeTensor(
    Float32Array.from({ length: n * n }, (_, i) => f(Math.floor(i / n), i % n)),
    [n, n],
    "float32",
  ) as AnyTensor;

/** 1 / (values[j] - values[i]) at [i, j] of values [b, n], and 0 on the diagonal. */
export function inverseGaps(values: AnyTensor): AnyTensor {
  const [rows, n] = values.shape as [number, number];
  const gaps = minus(reshapeTo(values, [rows, 1, n]), reshapeTo(values, [rows, n, 1]));
  const onDiagonal = pattern(n, (i, j) => (i === j ? 1 : 0));
  // 1 on the diagonal, so that nothing is divided by 0.
  return times(
    over(scalarOf(1, "float32"), plus(gaps, onDiagonal)),
    pattern(n, (i, j) => (i === j ? 0 : 1)),
  );
}

/** A row [b, n] as factors of columns, [b, 1, n]. */
export const alongColumns = (x: AnyTensor): AnyTensor => reshapeTo(x, [x.shape[0]!, 1, x.shape[1]!]);
/** A row [b, n] as factors of rows, [b, n, 1]. */
export const alongRows = (x: AnyTensor): AnyTensor => reshapeTo(x, [x.shape[0]!, x.shape[1]!, 1]);
/** A row [b, n] as diagonal matrices, [b, n, n]. */
export const asDiagonal = (x: AnyTensor): AnyTensor =>
  times(
    alongColumns(x),
    pattern(x.shape[1]!, (i, j) => (i === j ? 1 : 0)),
  );
