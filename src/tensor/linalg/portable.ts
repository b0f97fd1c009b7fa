// Factorizations of one matrix in doubles, row by row, for backends without TensorFlow's kernels (Golub and Van Loan, Matrix Computations).

/** LU with partial pivoting, in place of a copy: L below the diagonal, U from it on, and the order of the rows. */
interface Lu {
  readonly lu: Float64Array;
  readonly order: readonly number[];
  /** Of the permutation. */
  readonly sign: 1 | -1;
  readonly isSingular: boolean;
}

function luOf(a: Float64Array, n: number): Lu {
  const lu = a.slice();
  const order = Array.from({ length: n }, (_, i) => i);
  let sign: 1 | -1 = 1;
  let isSingular = false;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]!) > Math.abs(lu[pivot * n + k]!)) pivot = i;
    if (pivot !== k) {
      for (let j = 0; j < n; j++) [lu[k * n + j], lu[pivot * n + j]] = [lu[pivot * n + j]!, lu[k * n + j]!];
      [order[k], order[pivot]] = [order[pivot]!, order[k]!];
      sign = sign === 1 ? -1 : 1;
    }
    const top = lu[k * n + k]!;
    // NaN is no pivot either.
    if (!(Math.abs(top) > 0)) {
      isSingular = true;
      continue;
    }
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k]! / top;
      lu[i * n + k] = factor;
      for (let j = k + 1; j < n; j++) lu[i * n + j]! -= factor * lu[k * n + j]!;
    }
  }
  return { lu, order, sign, isSingular };
}

/** The solution of A X = B for B of `columns`; undefined for a singular A. */
export function solved(a: Float64Array, b: Float64Array, n: number, columns: number): Float64Array | undefined {
  const { lu, order, isSingular } = luOf(a, n);
  if (isSingular) return undefined;
  const x = new Float64Array(n * columns);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < columns; c++) {
      let sum = b[order[i]! * columns + c]!;
      for (let j = 0; j < i; j++) sum -= lu[i * n + j]! * x[j * columns + c]!;
      x[i * columns + c] = sum;
    }
  return triangularSolved(lu, x, n, columns, false, false);
}

/** The solution of T X = B, or of its transpose, for the lower or upper triangle T of a matrix. */
export function triangularSolved(
  a: Float64Array,
  b: Float64Array,
  n: number,
  columns: number,
  isLower: boolean,
  isTransposed: boolean,
): Float64Array {
  const x = b.slice();
  const at = (i: number, j: number) => (isTransposed ? a[j * n + i]! : a[i * n + j]!);
  const isForward = isLower !== isTransposed;
  for (let step = 0; step < n; step++) {
    const i = isForward ? step : n - 1 - step;
    for (let c = 0; c < columns; c++) {
      let sum = x[i * columns + c]!;
      for (let j = isForward ? 0 : i + 1; j < (isForward ? i : n); j++) sum -= at(i, j) * x[j * columns + c]!;
      x[i * columns + c] = sum / at(i, i);
    }
  }
  return x;
}

/** The sign of the determinant and the logarithm of its size: 0 and -Infinity for a singular matrix. */
export function signAndLog(a: Float64Array, n: number): [sign: number, logarithm: number] {
  const { lu, sign } = luOf(a, n);
  let [signs, logarithm] = [sign as number, 0];
  for (let i = 0; i < n; i++) {
    signs *= Math.sign(lu[i * (n + 1)]!);
    logarithm += Math.log(Math.abs(lu[i * (n + 1)]!));
  }
  return [signs, logarithm];
}

/** The determinant. */
export function determinant(a: Float64Array, n: number): number {
  const { lu, sign } = luOf(a, n);
  let product: number = sign;
  for (let i = 0; i < n; i++) product *= lu[i * (n + 1)]!;
  return product;
}

/** The lower triangle L of A = L L^T, by A's lower triangle; undefined where A is not positive definite. */
export function choleskyOf(a: Float64Array, n: number): Float64Array | undefined {
  const l = new Float64Array(n * n);
  for (let j = 0; j < n; j++)
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i > j) l[i * n + j] = sum / l[j * n + j]!;
      else if (sum > 0) l[i * n + j] = Math.sqrt(sum);
      else return undefined;
    }
  return l;
}

/** Q of [m, k] and R of [k, n] with A = Q R, by Householder reflections; k is the smaller of m and n. */
export function qrOf(a: Float64Array, m: number, n: number): { q: Float64Array; r: Float64Array } {
  const work = a.slice();
  const k = Math.min(m, n);
  const reflections: Float64Array[] = [];
  for (let step = 0; step < k; step++) {
    const v = new Float64Array(m);
    for (let i = step; i < m; i++) v[i] = work[i * n + step]!;
    const length = lengthOf(v);
    v[step]! += v[step]! < 0 ? -length : length;
    reflect(v, work, m, n);
    reflections.push(v);
  }
  const r = work.slice(0, k * n);
  for (let i = 0; i < k; i++) for (let j = 0; j < Math.min(i, n); j++) r[i * n + j] = 0;
  const q = new Float64Array(m * k);
  for (let i = 0; i < k; i++) q[i * k + i] = 1;
  for (const v of reflections.reverse()) reflect(v, q, m, k);
  return { q, r };
}

/** The Euclidean norm. */
export const lengthOf = (v: Float64Array): number => Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));

/** X - 2 v v^T X / v^T v, in place. */
function reflect(v: Float64Array, x: Float64Array, rows: number, columns: number): void {
  const square = v.reduce((sum, value) => sum + value * value, 0);
  if (square === 0) return;
  for (let j = 0; j < columns; j++) {
    let dot = 0;
    for (let i = 0; i < rows; i++) dot += v[i]! * x[i * columns + j]!;
    const factor = (2 * dot) / square;
    for (let i = 0; i < rows; i++) x[i * columns + j]! -= factor * v[i]!;
  }
}
