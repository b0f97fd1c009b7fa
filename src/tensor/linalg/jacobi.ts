// Eigenvalues and singular values of one matrix in doubles by Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5 and 8.6).
import { lengthOf } from "./portable.ts";

const SWEEPS = 60;

/** The angle that makes two columns (or rows and columns) with these products orthogonal. */
function rotation(first: number, second: number, both: number): [cos: number, sin: number] {
  const ratio = (second - first) / (2 * both);
  const tangent =
    Math.abs(ratio) > 1e150 ? 1 / (2 * ratio) : Math.sign(ratio || 1) / (Math.abs(ratio) + Math.hypot(1, ratio));
  const cos = 1 / Math.hypot(1, tangent);
  return [cos, cos * tangent];
}

/** Columns p and q of x rotated, in place. */
function rotate(x: Float64Array, rows: number, columns: number, p: number, q: number, cos: number, sin: number): void {
  for (let i = 0; i < rows; i++) {
    const [left, right] = [x[i * columns + p]!, x[i * columns + q]!];
    x[i * columns + p] = cos * left - sin * right;
    x[i * columns + q] = sin * left + cos * right;
  }
}

const identity = (n: number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));

/** The columns of x in an order. */
function reordered(x: Float64Array, rows: number, order: readonly number[]): Float64Array {
  const n = order.length;
  return Float64Array.from({ length: rows * n }, (_, i) => x[Math.floor(i / n) * n + order[i % n]!]!);
}

/** The eigenvalues in ascending order and the eigenvectors as columns of a symmetric matrix, of which the lower triangle is read. */
export function eigenOf(given: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(given, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return given[Math.max(i, j) * n + Math.min(i, j)]!;
  });
  const vectors = identity(n);
  const size = lengthOf(a);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let isDone = true;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const both = a[p * n + q]!;
        if (!(Math.abs(both) > 1e-18 * size)) continue;
        isDone = false;
        const [cos, sin] = rotation(a[p * n + p]!, a[q * n + q]!, both);
        rotate(a, n, n, p, q, cos, sin);
        for (let j = 0; j < n; j++) {
          const [left, right] = [a[p * n + j]!, a[q * n + j]!];
          a[p * n + j] = cos * left - sin * right;
          a[q * n + j] = sin * left + cos * right;
        }
        rotate(vectors, n, n, p, q, cos, sin);
      }
    if (isDone) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[i * (n + 1)]! - a[j * (n + 1)]!);
  return { values: Float64Array.from(order, (i) => a[i * (n + 1)]!), vectors: reordered(vectors, n, order) };
}

interface SingularValues {
  /** [m, k], orthonormal columns. */
  u: Float64Array;
  /** [k], in descending order. */
  s: Float64Array;
  /** [n, k], orthonormal columns. */
  v: Float64Array;
}

/** A = U diag(s) V^T with k, the smaller of m and n, singular values: one-sided Jacobi. */
export function singularOf(a: Float64Array, m: number, n: number): SingularValues {
  if (m < n) {
    const transposed = Float64Array.from({ length: m * n }, (_, i) => a[(i % m) * n + Math.floor(i / m)]!);
    const { u, s, v } = singularOf(transposed, n, m);
    return { u: v, s, v: u };
  }
  const work = a.slice();
  const v = identity(n);
  const dot = (p: number, q: number) => {
    let sum = 0;
    for (let i = 0; i < m; i++) sum += work[i * n + p]! * work[i * n + q]!;
    return sum;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let isDone = true;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const [first, second, both] = [dot(p, p), dot(q, q), dot(p, q)];
        if (!(Math.abs(both) > 1e-16 * Math.sqrt(first * second))) continue;
        isDone = false;
        const [cos, sin] = rotation(first, second, both);
        rotate(work, m, n, p, q, cos, sin);
        rotate(v, n, n, p, q, cos, sin);
      }
    if (isDone) break;
  }
  const lengths = Float64Array.from({ length: n }, (_, j) => Math.sqrt(dot(j, j)));
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => lengths[j]! - lengths[i]!);
  const s = Float64Array.from(order, (i) => lengths[i]!);
  const u = reordered(work, m, order);
  for (let j = 0; j < n; j++) {
    const isNull = !(s[j]! > 1e-15 * s[0]!);
    for (let i = 0; i < m; i++) u[i * n + j] = isNull ? 0 : u[i * n + j]! / s[j]!;
  }
  completeColumns(u, m, n, s);
  return { u, s, v: reordered(v, n, order) };
}

/** Fills the columns of singular values 0, which come last, so that all are orthonormal: of the unit vectors those that the others leave most of. */
function completeColumns(u: Float64Array, m: number, n: number, s: Float64Array): void {
  for (let j = 0; j < n; j++) {
    if (s[j]! > 1e-15 * s[0]!) continue;
    let best = new Float64Array(m);
    for (let unit = 0; unit < m; unit++) {
      const column = new Float64Array(m);
      column[unit] = 1;
      // Twice, because the first time loses digits.
      for (let pass = 0; pass < 2; pass++)
        for (let k = 0; k < j; k++) {
          let along = 0;
          for (let i = 0; i < m; i++) along += column[i]! * u[i * n + k]!;
          for (let i = 0; i < m; i++) column[i]! -= along * u[i * n + k]!;
        }
      if (lengthOf(column) > lengthOf(best)) best = column;
    }
    const length = lengthOf(best);
    for (let i = 0; i < m; i++) u[i * n + j] = best[i]! / length;
  }
}
