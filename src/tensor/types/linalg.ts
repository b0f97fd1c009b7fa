// Shapes of functions of matrices, the last two axes.
import type { Differ, DimText, IsUnknown, Rest, Shape, ShapeText } from "./shape.ts";

type Square<S> = S extends [...Rest<S>, infer M, infer N]
  ? Differ<M, N> extends true
    ? `the matrices of ${ShapeText<S>} must be square: ${DimText<M>} is not ${DimText<N>}`
    : true
  : `expected matrices of at least two axes, got ${ShapeText<S>}`;

/** `Then`, or an error message when the last two dimensions are not those of square matrices. */
export type IfSquare<Op extends string, S, Then> =
  IsUnknown<S> extends true ? Then : Square<S> extends infer R ? (R extends string ? `${Op}: ${R}` : Then) : never;

/** The batch axes, before the last two, and `Last` dimensions after them. */
export type Beside<S, Last extends Shape = []> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [...infer B extends Rest<S>, infer _M, infer _N]
      ? [...B, ...Last]
      : Shape;

/** The last dimension but one. */
export type Rows<S> = S extends [...Rest<S>, infer M extends Shape[number], infer _N] ? M : number;
/** The last dimension. */
export type Columns<S> = S extends [...Rest<S>, infer _M, infer N extends Shape[number]] ? N : number;
/** The smaller of the last two dimensions where that is known. */
export type Smaller<S> = S extends [...Rest<S>, infer M extends Shape[number], infer N]
  ? [M, N] extends [N, M]
    ? M
    : number
  : number;
