// Triangles and diagonals of the last two axes.
import { engine } from "../runtime/index.ts";
import { mul } from "./arithmetic.ts";
import { checkTensor, reshapeTo, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { gatherAt } from "./indices.ts";
import { pad, unsqueeze } from "./layout.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { sum, type Whole } from "./reductions.ts";
import type { Box } from "./types/generic.ts";
import type { IsUnknown, Rest, Shape } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";
import { where } from "./where.ts";

/** Rows and columns of the matrices; throws where there are none. */
function sizesOf(op: string, x: AnyTensor, offset = 0): [rows: number, columns: number] {
  checkTensor(op, x);
  if (x.rank < 2) throw new ShapeError(`${op}: expected a matrix of at least two axes, got ${shapeText(x)}`);
  checkOffset(op, offset);
  return [x.shape[x.rank - 2]!, x.shape[x.rank - 1]!];
}

function checkOffset(op: string, offset: number): void {
  if (!Number.isInteger(offset)) throw new RangeError(`${op}: the offset must be an integer, got ${offset}`);
}

/** The elements whose column less their row passes; 0 elsewhere. */
function masked(op: string, x: AnyTensor, offset: number, isKept: (difference: number) => boolean): AnyTensor {
  const [rows, columns] = sizesOf(op, x, offset);
  const mask = Uint8Array.from({ length: rows * columns }, (_, i) =>
    isKept((i % columns) - Math.floor(i / columns)) ? 1 : 0,
  );
  const result = scoped(op, () => {
    const condition = engine.makeTensor(mask, [rows, columns], "bool") as AnyTensor;
    return where(condition, x, run("ZerosLike", { x }));
  });
  return label(result, namesOf(x));
}

/**
 * The lower triangles of matrices, 0 elsewhere: `[..., m, n]` gives `[..., m, n]`. `offset` 0, the default, keeps the main diagonal and what is
 * below it; 1 keeps one diagonal more, -1 one fewer (`torch.tril`).
 *
 * @throws ShapeError for fewer than two axes; RangeError for an offset that is not an integer
 */
export function tril<T extends TensorOperand>(x: T, offset?: number): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function tril(x: AnyTensor, offset = 0): AnyTensor {
  return masked("tril", x, offset, (difference) => difference <= offset);
}

/**
 * The upper triangles of matrices, 0 elsewhere: `[..., m, n]` gives `[..., m, n]`. `offset` 0, the default, keeps the main diagonal and what is
 * above it; 1 keeps one diagonal fewer, -1 one more (`torch.triu`).
 *
 * @throws ShapeError for fewer than two axes; RangeError for an offset that is not an integer
 */
export function triu<T extends TensorOperand>(x: T, offset?: number): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function triu(x: AnyTensor, offset = 0): AnyTensor {
  return masked("triu", x, offset, (difference) => difference >= offset);
}

type DiagonalShape<S, O> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [...infer B extends Rest<S>, infer M, infer N]
      ? [...B, O extends 0 ? (Box<M> extends Box<N> ? N : number) : number]
      : Shape;

/**
 * The diagonals of matrices: `[..., n, n]` gives `[..., n]`. `offset` 0, the default, is the main one, positive ones are above it
 * (`torch.diagonal` of the last two axes).
 *
 * @throws ShapeError for fewer than two axes; RangeError for an offset that is not an integer
 */
export function diagonal<T extends TensorOperand, const O extends number = 0>(
  x: T,
  offset?: O,
): Tensor<DiagonalShape<ShapeOf<T>, O>, DTypeOf<T>>;
export function diagonal(x: AnyTensor, offset = 0): AnyTensor {
  const [rows, columns] = sizesOf("diagonal", x, offset);
  const first = offset < 0 ? -offset * columns : offset;
  const length = Math.max(0, offset < 0 ? Math.min(rows + offset, columns) : Math.min(rows, columns - offset));
  const batch = x.shape.slice(0, -2);
  const result = scoped("diagonal", () => {
    const positions = Int32Array.from({ length }, (_, i) => first + i * (columns + 1));
    const flat = reshapeTo(x, [...batch, rows * columns]);
    return gatherAt("diagonal", flat, engine.makeTensor(positions, [length], "int32") as AnyTensor, batch.length);
  });
  const names = namesOf(x);
  return label(result, names && [...names.slice(0, -2), undefined]);
}

type MatrixShape<S, O> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [...infer B extends Rest<S>, infer N]
      ? O extends 0
        ? [...B, N, N]
        : [...B, number, number]
      : Shape;

/**
 * Matrices with the elements of the last axis on a diagonal, 0 elsewhere: `[..., n]` gives `[..., n, n]`, larger by the size of `offset`
 * (`torch.diag_embed`).
 *
 * @throws ShapeError for a scalar; RangeError for an offset that is not an integer
 */
export function diagEmbed<T extends TensorOperand, const O extends number = 0>(
  x: T,
  offset?: O,
): Tensor<MatrixShape<ShapeOf<T>, O>, DTypeOf<T>>;
export function diagEmbed(x: AnyTensor, offset = 0): AnyTensor {
  checkTensor("diagEmbed", x);
  if (x.rank === 0) throw new ShapeError("diagEmbed: expected at least one axis, got a scalar");
  checkOffset("diagEmbed", offset);
  const size = x.shape.at(-1)!;
  const result = scoped("diagEmbed", () => {
    const mask = Uint8Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
    const condition = engine.makeTensor(mask, [size, size], "bool") as AnyTensor;
    const rows = unsqueeze(x, -1) as AnyTensor;
    const square = where(condition, rows, run("ZerosLike", { x: rows })) as AnyTensor;
    if (offset === 0) return square;
    const batch = x.shape.slice(0, -1).map((): [number, number] => [0, 0]);
    const [below, above] = [Math.max(0, -offset), Math.max(0, offset)];
    return pad(square, [...batch, [below, above], [above, below]]) as AnyTensor;
  });
  const names = namesOf(x);
  return label(result, names && [...names.slice(0, -1), undefined, undefined]);
}

type WithoutMatrix<S> =
  IsUnknown<S> extends true ? Shape : S extends [...infer B extends Rest<S>, infer _M, infer _N] ? B : Shape;

/**
 * The sums of the main diagonals of matrices: `[..., n, n]` gives `[...]` (`torch.trace` of each).
 *
 * @throws ShapeError for fewer than two axes; RangeError for an int32 sum outside int32
 */
export function trace<T extends TensorOperand>(x: T): Tensor<WithoutMatrix<ShapeOf<T>>, Whole<DTypeOf<T>>>;
export function trace(x: AnyTensor): AnyTensor {
  sizesOf("trace", x);
  return scopedNames(x, () => sum(diagonal(x) as AnyTensor, -1 as never) as AnyTensor);
}

const scopedNames = (x: AnyTensor, f: () => AnyTensor): AnyTensor =>
  label(scoped("trace", f), namesOf(x)?.slice(0, -2));

/**
 * The products of the elements of two vectors: `[m]` and `[n]` give `[m, n]` (`torch.outer`).
 *
 * @throws ShapeError for an operand that is not a vector
 */
export function outer<A extends TensorOperand, B extends TensorOperand>(
  a: A,
  b: B,
): Tensor<
  ShapeOf<A> extends [infer M extends Shape[number]]
    ? ShapeOf<B> extends [infer N extends Shape[number]]
      ? [M, N]
      : [number, number]
    : [number, number],
  DTypeOf<A>
>;
export function outer(a: AnyTensor, b: AnyTensor): AnyTensor {
  for (const x of [a, b]) {
    checkTensor("outer", x);
    if (x.rank !== 1) throw new ShapeError(`outer: expected vectors, got shape ${shapeText(x)}`);
  }
  const [left, right] = [namesOf(a), namesOf(b)];
  const result = scoped("outer", () => mul(reshapeTo(a, [a.size, 1]), reshapeTo(b, [1, b.size])));
  return label(result, (left || right) && [left?.[0], right?.[0]]);
}
