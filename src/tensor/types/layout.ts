// Shapes of what only moves, joins or cuts elements.
import type { Axis, Place, WithDim } from "./axis.ts";
import type { Difference, Product, Quotient, Sum } from "./number.ts";
import type { Dim, DimText, IsUnknown, SameDim, Shape, ShapeIn, ShapeOfSizes, ShapeText, Size } from "./shape.ts";

type WithoutMinusOne<S extends Shape, Out extends Shape = []> = S extends readonly [
  infer D extends Dim,
  ...infer R extends Shape,
]
  ? D extends -1
    ? [...Out, ...R]
    : WithoutMinusOne<R, [...Out, D]>
  : Out;

type Filled<S extends Shape, Q extends Dim> = { [I in keyof S]: S[I] extends -1 ? Q : S[I] };

type Reshaped<S extends Shape, To extends Shape> =
  IsUnknown<S> extends true
    ? IsUnknown<To> extends true
      ? Shape
      : Filled<To, number>
    : IsUnknown<To> extends true
      ? Shape
      : -1 extends To[number]
        ? number extends To[number]
          ? Shape
          : Quotient<Product<S>, Product<WithoutMinusOne<To>>> extends infer Q
            ? Q extends Dim
              ? Filled<To, Q>
              : false
            : never
        : SameDim<Product<S>, Product<To>> extends false
          ? false
          : To;

/** The shape that a reshape gives, -1 worked out. */
export type ReshapeTo<S extends Shape, To extends readonly Size[]> = ShapeIn<Reshaped<S, ShapeOfSizes<To>>>;

/** `Then`, or a sentence when the numbers of elements differ. */
export type IfReshape<S extends Shape, To extends readonly Size[], Then> =
  Reshaped<S, ShapeOfSizes<To>> extends false
    ? `reshape: ${ShapeText<S>} does not fill ${ShapeText<ShapeOfSizes<To>>}`
    : Then;

export type Reversed<S extends Shape, Out extends Shape = []> =
  IsUnknown<S> extends true
    ? Shape
    : S extends readonly [infer D extends Dim, ...infer R extends Shape]
      ? Reversed<R, [D, ...Out]>
      : Out;

/** The dimensions in the order of some axes. */
export type Permuted<S extends Shape, A> = A extends readonly Axis[]
  ? IsUnknown<S> extends true
    ? Shape
    : number extends A["length"]
      ? Shape
      : {
          -readonly [I in keyof A]: Place<S, A[I] & Axis> extends infer P extends number
            ? number extends P
              ? number
              : S[P]
            : number;
        }
  : Reversed<S>;

/** Every dimension may have changed; only their number is known. */
export type SameRank<S extends Shape> = { -readonly [I in keyof S]: number };

/** A shape with a dimension of one element put in at a place. */
export type Unsqueezed<S extends Shape, A extends number> =
  IsUnknown<S> extends true
    ? Shape
    : number extends A
      ? Shape
      : `${A}` extends `-${infer N extends number}`
        ? N extends 1
          ? [...S, 1]
          : InsertedFromEnd<S, N>
        : Inserted<S, A>;

type Inserted<
  S extends Shape,
  A extends number,
  D extends Dim = 1,
  Before extends Shape = [],
> = Before["length"] extends A
  ? [...Before, D, ...S]
  : S extends readonly [infer X extends Dim, ...infer R extends Shape]
    ? Inserted<R, A, D, [...Before, X]>
    : Shape;

type InsertedFromEnd<S extends Shape, N extends number, D extends Dim = 1, After extends Shape = []> = [
  0,
  ...After,
]["length"] extends N
  ? [...S, D, ...After]
  : S extends readonly [...infer R extends Shape, infer X extends Dim]
    ? InsertedFromEnd<R, N, D, [X, ...After]>
    : Shape;

/** The shape of `n` tensors of shape `S` stacked along a new axis. */
export type Stacked<S extends Shape, A extends number, N extends Dim> =
  IsUnknown<S> extends true
    ? Shape
    : number extends A
      ? Shape
      : `${A}` extends `-${infer M extends number}`
        ? InsertedFromEnd<S, M, N>
        : Inserted<S, A, N>;

/** The shape without its dimensions of one element. */
export type Squeezed<S extends Shape, Out extends Shape = []> =
  IsUnknown<S> extends true
    ? Shape
    : S extends readonly [infer D extends Dim, ...infer R extends Shape]
      ? number extends D
        ? Shape
        : D extends 1
          ? Squeezed<R, Out>
          : Squeezed<R, [...Out, D]>
      : Out;

/** The shapes of a list of tensors, joined along an axis: a sentence when another dimension differs. */
type Joined<S extends readonly Shape[], A extends Axis, Acc extends Shape | null = null> = S extends readonly [
  infer X extends Shape,
  ...infer R extends readonly Shape[],
]
  ? Acc extends Shape
    ? IsUnknown<Acc> extends true
      ? Shape
      : IsUnknown<X> extends true
        ? Shape
        : Place<Acc, A> extends infer P extends number
          ? number extends P
            ? Shape
            : JoinDims<Acc, X, P> extends infer J
              ? J extends Shape
                ? Joined<R, A, J>
                : J
              : never
          : Shape
    : Joined<R, A, X>
  : Acc extends Shape
    ? Acc
    : Shape;

type JoinDims<
  S extends Shape,
  T extends Shape,
  P extends number,
  Out extends Shape = [],
  Full extends Shape = S,
  Other extends Shape = T,
> = S extends readonly [infer D extends Dim, ...infer R extends Shape]
  ? T extends readonly [infer E extends Dim, ...infer Q extends Shape]
    ? Out["length"] extends P
      ? JoinDims<R, Q, P, [...Out, Sum<D, E>], Full, Other>
      : SameDim<D, E> extends infer Same extends Dim
        ? JoinDims<R, Q, P, [...Out, Same], Full, Other>
        : { readonly left: D; readonly right: E; readonly a: Full; readonly b: Other }
    : { readonly a: Full; readonly b: Other }
  : T extends readonly []
    ? Out
    : { readonly a: Full; readonly b: Other };

export type Concatenated<S extends readonly Shape[], A extends Axis> = number extends S["length"]
  ? S[number] extends infer X extends Shape
    ? WithDim<X, A, number>
    : Shape
  : ShapeIn<Joined<S, A>>;

/** `Then`, or a sentence that says which dimension of which two shapes differs. */
export type IfConcat<S extends readonly Shape[], A extends Axis, Then> = number extends S["length"]
  ? Then
  : Joined<S, A> extends infer J
    ? J extends { readonly a: infer X extends Shape; readonly b: infer Y extends Shape }
      ? J extends { readonly left: infer D; readonly right: infer E }
        ? `concat: ${ShapeText<X>} and ${ShapeText<Y>} do not join along axis ${A}: ${DimText<D>} is not ${DimText<E>}`
        : `concat: ${ShapeText<X>} and ${ShapeText<Y>} do not have the same number of axes`
      : Then
    : never;

/** One index of `at`: a place, a slice "1:3" in Python's notation, "...", a new axis, or a list of places. */
export type Index = number | string | null | readonly number[] | { readonly shape: readonly number[] };

type Bound<T extends string> = T extends `${infer N extends number}` ? N : null;

type Smaller<A extends number, B extends Dim> =
  Difference<B, A> extends infer D
    ? D extends number
      ? number extends D
        ? number extends B
          ? number
          : B extends string
            ? number
            : B
        : A
      : number
    : number;

type FromStart<T extends string, D extends Dim, Default extends Dim> = T extends ""
  ? Default
  : T extends `-${infer N extends number}`
    ? Difference<D, N>
    : Bound<T> extends infer N extends number
      ? Smaller<N, D>
      : number;

/** The length of a slice without a step; `number` where it is not known. */
type SliceDim<T extends string, D extends Dim> = T extends ":" | "::"
  ? D
  : T extends `${infer _}:${infer _}:${infer _}`
    ? number
    : T extends `${infer A}:${infer B}`
      ? A extends "" | "0"
        ? FromStart<B, D, D>
        : Difference<FromStart<B, D, D>, FromStart<A, D, 0>>
      : number;

type Consumes<I extends readonly Index[], Out extends readonly Index[] = []> = I extends readonly [
  infer X extends Index,
  ...infer R extends readonly Index[],
]
  ? X extends null | "..."
    ? Consumes<R, Out>
    : Consumes<R, [...Out, X]>
  : Out;

type Take<S extends Shape, Rest extends Shape, Out extends Shape = []> = S["length"] extends Rest["length"]
  ? Out
  : S extends readonly [infer D extends Dim, ...infer R extends Shape]
    ? Take<R, Rest, [...Out, D]>
    : Out;

type Indexed<S extends Shape, I extends readonly Index[], Out extends Shape = []> = I extends readonly [
  infer X,
  ...infer R extends readonly Index[],
]
  ? X extends null
    ? Indexed<S, R, [...Out, 1]>
    : X extends "..."
      ? Back<S, Consumes<R>> extends infer Rest extends Shape
        ? Indexed<Rest, R, [...Out, ...Take<S, Rest>]>
        : Shape
      : S extends readonly [infer D extends Dim, ...infer Q extends Shape]
        ? X extends number
          ? Indexed<Q, R, Out>
          : X extends string
            ? Indexed<Q, R, [...Out, SliceDim<X, D>]>
            : X extends readonly number[]
              ? Indexed<Q, R, [...Out, X["length"]]>
              : Shape
        : Shape
  : [...Out, ...S];

/** The last dimensions, as many as there are indices. */
type Back<S extends Shape, I extends readonly unknown[]> = S["length"] extends I["length"]
  ? S
  : S extends readonly [Dim, ...infer R extends Shape]
    ? Back<R, I>
    : S;

/** The shape of `at(x, ...indices)`. */
export type AtShape<S extends Shape, I extends readonly Index[]> =
  IsUnknown<S> extends true ? Shape : number extends I["length"] ? Shape : Indexed<S, I>;
