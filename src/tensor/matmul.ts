import { sizeOf } from "../base/shape.ts";
import { broadcastShape, expandTo } from "./broadcast.ts";
import { checkTensor, drop, reshapeTo, run, sameShape, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { floatsBeside } from "./half.ts";
import { type AxisNames, dimText, label, namesOf, shapeText } from "./names.ts";
import type { TryBroadcast } from "./types/broadcast.ts";
import type { Box, Evidence, Resolved, Unresolved } from "./types/generic.ts";
import type { Differ, Dim, DimText, Fit, IsUnknown, Prefixed, Rest, Shape, ShapeIn, ShapeText } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

type Matrices<A, B> = A extends [infer K]
  ? B extends [...infer Batch extends Rest<B>, infer L, infer N]
    ? Inner<K, L, [...Batch, N]>
    : B extends [infer L]
      ? Inner<K, L, []>
      : "must both have an axis"
  : A extends [...infer AB extends Rest<A>, infer M, infer K]
    ? B extends [infer L]
      ? Inner<K, L, [...AB, M]>
      : B extends [...infer BB extends Rest<B>, infer L, infer N]
        ? TryBroadcast<AB, BB> extends infer Batch
          ? Batch extends string
            ? `do not broadcast: ${Batch}`
            : Inner<K, L, Batch extends [...infer R extends Rest<Batch>] ? [...R, M, N] : Shape>
          : never
        : "must both have an axis"
    : "must both have an axis";

type Inner<K, L, Out> = Differ<K, L> extends true ? `do not fit: ${DimText<K>} is not ${DimText<L>}` : Out;

type Result<A, B> = IsUnknown<A> extends true ? Shape : IsUnknown<B> extends true ? Shape : Matrices<A, B>;

/** `Then`, or an error message where the two shapes cannot be multiplied. */
export type IfMatmul<A, B, Then, Op extends string = "matmul"> = [Fit<Result<A, B>>] extends [never]
  ? Prefixed<`${Op}: ${ShapeText<A>} and ${ShapeText<B>} `, Result<A, B>>
  : Then;

export type MatmulShape<A, B> =
  Evidence<Unresolved<A>, B> extends Evidence<Resolved<A>, [unknown, unknown]> ? Features<A, B> : ShapeIn<Result<A, B>>;
/** `[...S, in]` with a type parameter S, by the matrix `[in, out]`. */
type Features<A, B> =
  Box<A> extends Box<[...infer R extends Shape, unknown]>
    ? B extends [unknown, infer N extends Dim]
      ? [...R, N]
      : never
    : ShapeIn<Result<A, B>>;

/**
 * The matrix product of the last two axes, as `numpy.matmul`: `[..., m, k]` and `[..., k, n]` give `[..., m, n]`; the leading
 * axes broadcast. A vector is a row on the left and a column on the right: `[k]` and `[k]` give a scalar. Operands are converted
 * to float32.
 *
 * @throws ShapeError when the shapes do not fit
 */
export function matmul<A extends TensorOperand, B extends TensorOperand>(
  a: A,
  b: IfMatmul<ShapeOf<A>, ShapeOf<B>, B>,
): Tensor<MatmulShape<ShapeOf<A>, ShapeOf<B>>, "float32">;
export function matmul(a: AnyTensor, b: AnyTensor): AnyTensor {
  checkTensor("matmul", a);
  checkTensor("matmul", b);
  checkProduct("matmul", a, b);
  const names = productNames(a, b);
  const x = floatsBeside(a, b);
  const y = floatsBeside(b, a);
  const result = multiply(x, y);
  drop(x, a);
  drop(y, b);
  return names === undefined ? result : label(result, names);
}

/** Throws when the shapes of a matrix product do not fit. */
export function checkProduct(op: string, a: AnyTensor, b: AnyTensor): void {
  const [s, t] = [a.shape, b.shape];
  const fail = (why: string): never => {
    throw new ShapeError(`${op}: ${shapeText(a)} and ${shapeText(b)} ${why}`);
  };
  if (s.length === 0 || t.length === 0) fail("must both have an axis");
  const [left, right] = [namesOf(a), namesOf(b)];
  const text = (x: readonly number[], names: AxisNames | undefined, i: number) => dimText(x[i]!, names?.[i]);
  const differ = (i: number, j: number) =>
    s[i] !== t[j] || (left?.[i] !== undefined && right?.[j] !== undefined && left[i] !== right[j]);
  for (let i = s.length - 3, j = t.length - 3; i >= 0 && j >= 0; i--, j--)
    if (s[i] !== 1 && t[j] !== 1 && differ(i, j))
      fail(`do not broadcast: ${text(s, left, i)} is not ${text(t, right, j)}`);
  const [k, l] = [s.length - 1, Math.max(0, t.length - 2)];
  if (differ(k, l)) fail(`do not fit: ${text(s, left, k)} is not ${text(t, right, l)}`);
}

/** The names of the axes of a matrix product. */
export function productNames(a: AnyTensor, b: AnyTensor): AxisNames | undefined {
  const [left, right] = [namesOf(a), namesOf(b)];
  if (left === undefined && right === undefined) return undefined;
  const l = left ?? Array<undefined>(a.rank).fill(undefined);
  const r = right ?? Array<undefined>(b.rank).fill(undefined);
  const rank = Math.max(a.rank, b.rank) - 2;
  const batch = Array.from(
    { length: Math.max(0, rank) },
    (_, i) => l[a.rank - 2 - rank + i] ?? r[b.rank - 2 - rank + i],
  );
  return [...batch, ...(a.rank > 1 ? [l[a.rank - 2]] : []), ...(b.rank > 1 ? [r[b.rank - 1]] : [])];
}

/** The product of two float tensors that fit, with the fewest native ops. */
function multiply(a: AnyTensor, b: AnyTensor): AnyTensor {
  if (a.rank === 2 && b.rank === 2) return batchMatmul(a, b);
  return scoped("matmul", () => {
    const [s, t] = [a.shape, b.shape];
    const k = s[s.length - 1]!;
    if (b.rank <= 2) {
      // Weights beside a batch: one large product is faster than many, and its gradient needs no sum.
      const column = b.rank === 1 ? reshapeTo(b, [k, 1]) : b;
      const flat = batchMatmul(reshapeTo(a, [sizeOf(s.slice(0, -1)), k]), column);
      return reshapeTo(flat, [...s.slice(0, -1), ...t.slice(1)]);
    }
    if (a.rank > 1 && sizeOf(t.slice(0, -2)) === 1) {
      // The same for one matrix with batch axes, which a batched product would repeat.
      const n = t[t.length - 1]!;
      const flat = batchMatmul(reshapeTo(a, [sizeOf(s.slice(0, -1)), k]), reshapeTo(b, [k, n]));
      return reshapeTo(flat, [...Array<number>(Math.max(0, b.rank - a.rank)).fill(1), ...s.slice(0, -1), n]);
    }
    const row = a.rank === 1 ? reshapeTo(a, [1, k]) : a;
    const product = batchMatmul(...withBatchesThatBroadcast(row, b));
    return a.rank === 1 ? reshapeTo(product, [...product.shape.slice(0, -2), t[t.length - 1]!]) : product;
  });
}

/** TensorFlow broadcasts so many axes; with more, both are repeated first. */
const MOST_BATCH_AXES = 4;

function withBatchesThatBroadcast(a: AnyTensor, b: AnyTensor): [AnyTensor, AnyTensor] {
  const [x, y] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (Math.max(x.length, y.length) <= MOST_BATCH_AXES || sameShape(x, y)) return [a, b];
  const batch = broadcastShape(x, y);
  return [expandTo(a, [...batch, ...a.shape.slice(-2)]), expandTo(b, [...batch, ...b.shape.slice(-2)])];
}

/** [..., m, k] by [..., k, n], each stored transposed where said so; batch axes broadcast. */
export const batchMatmul = (a: AnyTensor, b: AnyTensor, transposeA = false, transposeB = false): AnyTensor =>
  run("BatchMatMul", { a, b }, { transposeA, transposeB });
