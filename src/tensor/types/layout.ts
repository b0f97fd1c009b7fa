// Shapes of what only moves, joins or cuts elements.
import type { Axis, Place, Rank, SameRank, WithDim } from "./axis.ts";
import type { Evidence, Resolved, Unresolved } from "./generic.ts";
import type { Difference, Product, Quotient, Sum } from "./number.ts";
import type {
  Differ,
  DimText,
  IsUnknown,
  Rest,
  SameDim,
  Shape,
  ShapeIn,
  ShapeOfSizes,
  ShapeText,
  Unless,
  Writable,
} from "./shape.ts";

type WithoutMinusOne<S, Out extends unknown[] = []> = S extends [infer D, ...infer R extends Rest<S>]
  ? D extends -1
    ? [...Out, ...R]
    : WithoutMinusOne<R, [...Out, D]>
  : Out;

type Filled<S, Q, Out extends unknown[] = []> = S extends [infer D, ...infer R extends Rest<S>]
  ? Filled<R, Q, [...Out, D extends -1 ? Q : D]>
  : Out;

/** Whether a size is -1, to be inferred; `number` where that is not known. */
type Open<S, Found = false> = S extends [infer D, ...infer R extends Rest<S>]
  ? number extends D
    ? number
    : Open<R, D extends -1 ? true : Found>
  : Found;

type Misfit<S, To> = `${ShapeText<S>} cannot be reshaped to ${ShapeText<To>}`;

/** A message when the numbers of elements differ. */
type Misfitting<S, To> =
  IsUnknown<To> extends true
    ? true
    : IsUnknown<S> extends true
      ? true
      : Open<To> extends infer O
        ? O extends true
          ? Quotient<Product<S>, Product<WithoutMinusOne<To>>> extends infer Q
            ? Q extends false
              ? Misfit<S, To>
              : true
            : never
          : O extends false
            ? [Product<S>, Product<To>] extends [infer P, infer Q]
              ? Differ<P, Q> extends true
                ? Misfit<S, To>
                : true
              : never
            : true
        : never;

/** The shape that a reshape gives, -1 worked out. */
export type ReshapeTo<S, To> = Reshaped<S, ShapeOfSizes<To>>;
type Reshaped<S, To> =
  IsUnknown<To> extends true
    ? Shape
    : Open<To> extends infer O
      ? O extends true
        ? ShapeIn<Filled<To, Share<S, To>>>
        : O extends false
          ? ShapeIn<To>
          : ShapeIn<Filled<To, number>>
      : never;
/** The size that stands for -1. */
type Share<S, To> =
  Evidence<Unresolved<S>, To> extends Evidence<Resolved<S>, readonly unknown[]>
    ? number
    : IsUnknown<S> extends true
      ? number
      : Quotient<Product<S>, Product<WithoutMinusOne<To>>>;

/** `Then`, or a sentence when the numbers of elements differ. */
export type IfReshape<S, To, Then> = Unless<Misfitting<S, ShapeOfSizes<To>>, "reshape: ", Then>;

type Backwards<S, Out extends unknown[] = []> = S extends [infer D, ...infer R extends Rest<S>]
  ? Backwards<R, [D, ...Out]>
  : Out;

export type Reversed<S> = IsUnknown<S> extends true ? Shape : ShapeIn<Backwards<S>>;

/** The dimension at a place. */
export type At<S, P, Before extends 0[] = []> = S extends [infer D, ...infer R extends Rest<S>]
  ? Before["length"] extends P
    ? D
    : At<R, P, [...Before, 0]>
  : number;

type InOrder<S, A, Out extends unknown[] = []> = A extends [infer X, ...infer R extends Rest<A>]
  ? InOrder<
      S,
      R,
      [...Out, Place<S, X> extends infer P extends number ? (number extends P ? number : At<S, P>) : number]
    >
  : Out;

/** The dimensions in the order of some axes. */
export type Permuted<S, A> = A extends undefined
  ? Reversed<S>
  : IsUnknown<S> extends true
    ? Shape
    : IsUnknown<A> extends true
      ? SameRank<S>
      : ShapeIn<InOrder<S, Writable<A>>>;

/** A shape with a dimension put in at a place, as `n` tensors stacked along a new axis have it. */
export type Stacked<S, A, D> =
  IsUnknown<S> extends true
    ? Shape
    : number extends A
      ? SameRank<S, [number]>
      : ShapeIn<`${A & number}` extends `-${infer N extends number}` ? InsertedFromEnd<S, N, D> : Inserted<S, A, D>>;

type Inserted<S, A, D, Before extends unknown[] = [], I extends 0[] = []> = I["length"] extends A
  ? S extends [...infer R extends Rest<S>]
    ? [...Before, D, ...R]
    : Shape
  : S extends [infer X, ...infer R extends Rest<S>]
    ? Inserted<R, A, D, [...Before, X], [...I, 0]>
    : Shape;

type InsertedFromEnd<S, N, D, After extends unknown[] = [], I extends 0[] = [0]> = I["length"] extends N
  ? S extends [...infer R extends Rest<S>]
    ? [...R, D, ...After]
    : Shape
  : S extends [...infer R extends Rest<S>, infer X]
    ? InsertedFromEnd<R, N, D, [X, ...After], [...I, 0]>
    : Shape;

/** A shape with a dimension of one element put in at a place. */
export type Unsqueezed<S, A> = Stacked<S, A, 1>;

type WithoutOnes<S, Out extends unknown[] = []> = S extends [infer D, ...infer R extends Rest<S>]
  ? number extends D
    ? Shape
    : WithoutOnes<R, D extends 1 ? Out : [...Out, D]>
  : Out;

/** The shape without its dimensions of one element. */
export type Squeezed<S> = IsUnknown<S> extends true ? Shape : ShapeIn<WithoutOnes<S>>;

/** The shapes of a list of tensors, joined along an axis: a sentence when another dimension differs. */
type Joined<S, A extends Axis, Acc = false> = S extends [infer X, ...infer R extends Rest<S>]
  ? Acc extends false
    ? Joined<R, A, X>
    : IsUnknown<Acc> extends true
      ? Shape
      : IsUnknown<X> extends true
        ? Shape
        : Place<Acc, A> extends infer P extends number
          ? number extends P
            ? Shape
            : JoinDims<Acc, X, P> extends infer J
              ? J extends false | string
                ? `${ShapeText<Acc>} and ${ShapeText<X>} do not ${J extends string ? `join along axis ${A}: ${J}` : "have the same number of axes"}`
                : Joined<R, A, J>
              : never
          : Shape
  : Acc;

/** Which dimensions differ; `false` when their numbers do. */
type JoinDims<S, T, P, Out extends unknown[] = [], I extends 0[] = []> = S extends [infer D, ...infer R extends Rest<S>]
  ? T extends [infer E, ...infer Q extends Rest<T>]
    ? I["length"] extends P
      ? JoinDims<R, Q, P, [...Out, Sum<D, E>], [...I, 0]>
      : Differ<D, E> extends true
        ? `${DimText<D>} is not ${DimText<E>}`
        : JoinDims<R, Q, P, [...Out, SameDim<D, E>], [...I, 0]>
    : false
  : T extends []
    ? Out
    : false;

export type Concatenated<S extends readonly unknown[], A extends Axis> = number extends S["length"]
  ? WithDim<S[number], A, number>
  : ShapeIn<Joined<Writable<S>, A>>;

/** `Then`, or an error message with the two shapes and the dimension that differs. */
export type IfConcat<S extends readonly unknown[], A extends Axis, Then> = number extends S["length"]
  ? Then
  : Unless<Joined<Writable<S>, A>, "concat: ", Then>;

/** One index of `at`: a place, a slice "1:3" in Python's notation, "...", a new axis, or a list of places. */
export type Index = number | string | null | readonly number[] | { readonly shape: readonly number[] };

type Bound<T extends string> = T extends `${infer N extends number}` ? N : false;

type Smaller<A, B> =
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

type FromStart<T extends string, D, Default> = T extends ""
  ? Default
  : T extends `-${infer N extends number}`
    ? Difference<D, N>
    : Bound<T> extends infer N extends number
      ? Smaller<N, D>
      : number;

/** The length of a slice without a step; `number` where it is not known. */
type SliceDim<T extends string, D> = T extends ":" | "::"
  ? D
  : T extends `${infer _}:${infer _}:${infer _}`
    ? number
    : T extends `${infer A}:${infer B}`
      ? A extends "" | "0"
        ? FromStart<B, D, D>
        : Difference<FromStart<B, D, D>, FromStart<A, D, 0>>
      : number;

type Consumes<I, Out extends unknown[] = []> = I extends [infer X, ...infer R extends Rest<I>]
  ? Consumes<R, X extends null | "..." ? Out : [...Out, X]>
  : Out;

/** The last dimensions, as many as there are indices, after those before them. */
type Back<S, N, Taken extends unknown[] = []> =
  Rank<S> extends N
    ? [Taken, S]
    : S extends [infer D, ...infer R extends Rest<S>]
      ? Back<R, N, [...Taken, D]>
      : [Taken, S];

/** An index that is `any` may be of each kind; without strictNullChecks `null` is one. */
type Indexed<S, I, Out extends unknown[] = []> = I extends [infer X, ...infer R extends Rest<I>]
  ? unknown extends X
    ? Shape
    : X extends null
      ? Indexed<S, R, [...Out, 1]>
      : X extends "..."
        ? Back<S, Rank<Consumes<R>>> extends [infer Taken extends Rest<S>, infer Left]
          ? Indexed<Left, R, [...Out, ...Taken]>
          : Shape
        : S extends [infer D, ...infer Q extends Rest<S>]
          ? X extends number
            ? Indexed<Q, R, Out>
            : X extends string
              ? Indexed<Q, R, [...Out, SliceDim<X, D>]>
              : X extends readonly number[]
                ? Indexed<Q, R, [...Out, X["length"]]>
                : Shape
          : Shape
  : S extends [...infer Q extends Rest<S>]
    ? [...Out, ...Q]
    : Shape;

/** The shape of `at(x, ...indices)`. */
export type AtShape<S, I> =
  IsUnknown<S> extends true ? Shape : IsUnknown<I> extends true ? Shape : ShapeIn<Indexed<S, Writable<I>>>;
