// Factorizations of batches of matrices, [..., m, n]: TensorFlow's kernels, or our own in doubles where TensorFlow does not run. They have no gradient.
import { sizeOf } from "../../base/shape.ts";
import { engine } from "../../runtime/index.ts";
import { levelsOfAll, throughLevels } from "../../runtime/levels.ts";
import { float, isNative, nativeOp, nativeOpOf } from "../../runtime/native/op.ts";
import { readFloat64 } from "../../storage/index.ts";
import { hasNaN } from "../reductions.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { eigenOf, singularOf } from "./jacobi.ts";
import { nativeDeterminant } from "./native-determinant.ts";
import { choleskyOf, determinant, qrOf, signAndLog, solved, triangularSolved } from "./portable.ts";

const native = {
  cholesky: nativeOp("Cholesky", { T: float }),
  solve: nativeOp("MatrixSolve", { T: float, adjoint: false }),
  solveTransposed: nativeOp("MatrixSolve", { T: float, adjoint: true }),
  lower: nativeOp("MatrixTriangularSolve", { T: float, lower: true, adjoint: false }),
  lowerTransposed: nativeOp("MatrixTriangularSolve", { T: float, lower: true, adjoint: true }),
  upper: nativeOp("MatrixTriangularSolve", { T: float, lower: false, adjoint: false }),
  upperTransposed: nativeOp("MatrixTriangularSolve", { T: float, lower: false, adjoint: true }),
  inverse: nativeOp("MatrixInverse", { T: float, adjoint: false }),
  logDeterminant: nativeOpOf("LogMatrixDeterminant", 2, { T: float }),
  qr: nativeOpOf("Qr", 2, { T: float, full_matrices: false }),
  svd: nativeOpOf("Svd", 3, { T: float, compute_uv: true, full_matrices: false }),
  eigh: nativeOpOf("SelfAdjointEigV2", 2, { T: float, compute_v: true }),
};

type Part = { values: Float64Array; shape: readonly number[] };

/** Results of each matrix of some tensors, which have the same batch axes, as tensors. */
function each(tensors: readonly AnyTensor[], f: (...matrices: Float64Array[]) => Part[]): AnyTensor[] {
  const batch = tensors[0]!.shape.slice(0, -2);
  const count = sizeOf(batch);
  const read = tensors.map((x) => readFloat64(x));
  const rows = Array.from({ length: count }, (_, i) =>
    f(...read.map((values) => values.subarray((i * values.length) / count, ((i + 1) * values.length) / count))),
  );
  return rows[0]!.map(({ shape, values: { length } }, k) => {
    const all = new Float32Array(count * length);
    for (const [i, row] of rows.entries()) all.set(row[k]!.values, i * length);
    return engine.makeTensor(all, [...batch, ...shape], "float32") as AnyTensor;
  });
}

const lastTwo = (x: AnyTensor): [m: number, n: number] => [x.shape[x.rank - 2]!, x.shape[x.rank - 1]!];

/** Runs TensorFlow's kernel; `fail` makes the error of what it refuses. */
function refusing(f: () => AnyTensor, fail: () => Error): AnyTensor {
  try {
    return f();
  } catch (error) {
    if (/invertible/i.test(String(error))) throw fail();
    throw error;
  }
}

function found(values: Float64Array | undefined, fail: () => Error): Float64Array {
  if (!values) throw fail();
  return values;
}

export const choleskyKernel = (a: AnyTensor, fail: () => Error): AnyTensor =>
  throughLevels(a, (x) => {
    if (isNative()) {
      const factor = native.cholesky(x);
      // TensorFlow fills the triangle with NaN.
      if (!hasNaN(factor)) return factor;
      factor.dispose();
      throw fail();
    }
    const [n] = lastTwo(x);
    return each([x], (matrix) => [{ values: found(choleskyOf(matrix, n), fail), shape: [n, n] }])[0]!;
  });

/** Runs `f` on matrices [..., n, n] and [..., n, k]; inside of a vmap joined, so that both get the examples' axes. */
function onBoth(a: AnyTensor, b: AnyTensor, f: (a: AnyTensor, b: AnyTensor) => AnyTensor): AnyTensor {
  if (levelsOfAll([a, b]).length === 0) return f(a, b);
  const [n, k] = lastTwo(b);
  const joined = engine.runKernel("Concat", [a, b] as never, { axis: a.rank - 1 }) as AnyTensor;
  return throughLevels(joined, (x) => {
    const part = (from: number, width: number) => {
      const begin = x.shape.map((_, i) => (i === x.rank - 1 ? from : 0));
      return engine.runKernel("Slice", { x }, { begin, size: [...x.shape.slice(0, -1), width] }) as AnyTensor;
    };
    return f(part(0, n), part(n, k));
  });
}

export const solveKernel = (a: AnyTensor, b: AnyTensor, isTransposed: boolean, fail: () => Error): AnyTensor =>
  onBoth(a, b, (x, y) => solveOne(x, y, isTransposed, fail));

function solveOne(a: AnyTensor, b: AnyTensor, isTransposed: boolean, fail: () => Error): AnyTensor {
  if (isNative()) return refusing(() => (isTransposed ? native.solveTransposed : native.solve)(a, b), fail);
  const [n, columns] = lastTwo(b);
  return each([a, b], (left, right) => {
    const matrix = isTransposed ? left.map((_, i) => left[(i % n) * n + Math.floor(i / n)]!) : left;
    return [{ values: found(solved(matrix, right, n, columns), fail), shape: [n, columns] }];
  })[0]!;
}

export const triangularKernel = (a: AnyTensor, b: AnyTensor, isLower: boolean, isTransposed: boolean): AnyTensor =>
  onBoth(a, b, (x, y) => triangularOne(x, y, isLower, isTransposed));

function triangularOne(a: AnyTensor, b: AnyTensor, isLower: boolean, isTransposed: boolean): AnyTensor {
  if (isNative()) {
    const [plain, transposed] = isLower
      ? [native.lower, native.lowerTransposed]
      : [native.upper, native.upperTransposed];
    return (isTransposed ? transposed : plain)(a, b);
  }
  const [n, columns] = lastTwo(b);
  return each([a, b], (left, right) => [
    { values: triangularSolved(left, right, n, columns, isLower, isTransposed), shape: [n, columns] },
  ])[0]!;
}

const identity = (n: number) => Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));

export const inverseKernel = (a: AnyTensor, fail: () => Error): AnyTensor =>
  throughLevels(a, (x) => {
    if (isNative()) return refusing(() => native.inverse(x), fail);
    const [n] = lastTwo(x);
    return each([x], (matrix) => [{ values: found(solved(matrix, identity(n), n, n), fail), shape: [n, n] }])[0]!;
  });

export const determinantKernel = (a: AnyTensor): AnyTensor =>
  throughLevels(a, (x) => {
    if (isNative()) return nativeDeterminant(x);
    const [n] = lastTwo(x);
    return each([x], (matrix) => [{ values: Float64Array.of(determinant(matrix, n)), shape: [] }])[0]!;
  });

/** Several results in one tensor, [..., numbers], which the caller takes apart: an op with a gradient has one result. */
function packed(a: AnyTensor, results: (x: AnyTensor) => AnyTensor[], axes: readonly number[]): AnyTensor {
  return throughLevels(a, (x) => {
    const batch = x.shape.slice(0, -2);
    const flat = results(x).map((part, i) => {
      const size = sizeOf(part.shape.slice(part.rank - axes[i]!));
      return engine.runKernel("Reshape", { x: part }, { shape: [...batch, size] });
    });
    return engine.runKernel("Concat", flat as never, { axis: batch.length }) as AnyTensor;
  });
}

/** The sign and the logarithm of the determinant, [..., 2]. */
export const logDeterminantKernel = (a: AnyTensor): AnyTensor =>
  packed(
    a,
    (x) => {
      if (isNative()) return native.logDeterminant(x);
      const [n] = lastTwo(x);
      return each([x], (matrix) =>
        signAndLog(matrix, n).map((value) => ({ values: Float64Array.of(value), shape: [] })),
      );
    },
    [0, 0],
  );

/** Q of [..., m, k] and R of [..., k, n], flat and joined. */
export const qrKernel = (a: AnyTensor): AnyTensor =>
  packed(
    a,
    (x) => {
      if (isNative()) return native.qr(x);
      const [m, n] = lastTwo(x);
      const k = Math.min(m, n);
      return each([x], (matrix) => {
        const { q, r } = qrOf(matrix, m, n);
        return [
          { values: q, shape: [m, k] },
          { values: r, shape: [k, n] },
        ];
      });
    },
    [2, 2],
  );

/** The values, [..., n], and vectors, [..., n, n], flat and joined. */
export const eighKernel = (a: AnyTensor): AnyTensor =>
  packed(
    a,
    (x) => {
      if (isNative()) return native.eigh(x);
      const [n] = lastTwo(x);
      return each([x], (matrix) => {
        const { values, vectors } = eigenOf(matrix, n);
        return [
          { values, shape: [n] },
          { values: vectors, shape: [n, n] },
        ];
      });
    },
    [1, 2],
  );

/** s of [..., k], u of [..., m, k] and v of [..., n, k], flat and joined. */
export const svdKernel = (a: AnyTensor): AnyTensor =>
  packed(
    a,
    (x) => {
      if (isNative()) return native.svd(x);
      const [m, n] = lastTwo(x);
      const k = Math.min(m, n);
      return each([x], (matrix) => {
        const { u, s, v } = singularOf(matrix, m, n);
        return [
          { values: s, shape: [k] },
          { values: u, shape: [m, k] },
          { values: v, shape: [n, k] },
        ];
      });
    },
    [1, 2, 2],
  );
