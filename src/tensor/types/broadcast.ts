// The shape that two shapes broadcast to (numpy.org/doc/stable/user/basics.broadcasting.html).
import type { ReducedKnown, Rejoined } from "./axis.ts";
import type { Box, Evidence, Exact, IsParameter, Resolved, Unresolved } from "./generic.ts";
import type { Dim, DimText, Fit, IsUnknown, Prefixed, Rest, SameDim, Shape, ShapeIn, ShapeText } from "./shape.ts";
import type { NumberOrTensor } from "./tensor.ts";

/** The dimension that two dimensions broadcast to; `false` if they do not. */
type BroadcastDim<A, B> = A extends 1 ? B : B extends 1 ? A : SameDim<A, B>;

type BroadcastKnown<A, B, Out extends unknown[] = []> = A extends [...infer AR extends Rest<A>, infer AL]
  ? B extends [...infer BR extends Rest<B>, infer BL]
    ? Exact<BL> extends Exact<AL> | Exact<1>
      ? BroadcastKnown<AR, BR, [AL, ...Out]>
      : BroadcastDim<AL, BL> extends infer D
        ? D extends false
          ? `${DimText<AL>} is not ${DimText<BL>}`
          : BroadcastKnown<AR, BR, [D, ...Out]>
        : never
    : [...AR, AL, ...Out]
  : B extends [...infer BR extends Rest<B>]
    ? [...BR, ...Out]
    : Out;

/** The shape that two shapes broadcast to, or a message with the two dimensions that do not broadcast. */
export type TryBroadcast<A, B> =
  IsUnknown<A> extends true ? Shape : IsUnknown<B> extends true ? Shape : BroadcastKnown<A, B>;

/**
 * The shape that two shapes broadcast to; `T` is one of the two operands. With a type parameter in A or B it is known where
 * every value of the parameter gives the same.
 */
export type Broadcast<A extends Shape, B extends Shape, T> =
  Evidence<Unresolved<A>, T> extends Evidence<Resolved<A>, NumberOrTensor>
    ? Ends<A, B, T>
    : Evidence<Unresolved<B>, T> extends Evidence<Resolved<B>, NumberOrTensor>
      ? Ends<A, B, T>
      : ShapeIn<BroadcastKnown<A, B>>;

/** `Then`, or an error message if the two shapes do not broadcast. */
export type IfBroadcast<Op extends string, A, B, Then> = [Fit<TryBroadcast<A, B>>] extends [never]
  ? Prefixed<`${Op}: ${ShapeText<A>} and ${ShapeText<B>} do not broadcast: `, TryBroadcast<A, B>>
  : Then;

/** What is worked out when the type parameter is known. */
type Undecided<A extends Shape, B extends Shape, Tail extends Dim[], Head extends Dim[] = []> = ShapeIn<
  TryBroadcast<Rejoined<Head, A, Tail>, Rejoined<Head, B, Tail>>
>;

/** Compares from the last dimension, until one of the two is a type parameter or has none left. */
type Ends<A extends Shape, B extends Shape, T, Tail extends Dim[] = []> =
  IsParameter<A, T, NumberOrTensor> extends true
    ? IsParameter<B, T, NumberOrTensor> extends true
      ? Exact<B> extends Exact<A> | Exact<ReducedKnown<A, infer _, true>>
        ? Rejoined<[], A, Tail>
        : Undecided<A, B, Tail>
      : Beside<A, B, T, Tail>
    : IsParameter<B, T, NumberOrTensor> extends true
      ? Beside<B, A, T, Tail>
      : Box<A> extends Box<[...infer AR extends Shape, infer AL extends Dim]>
        ? Box<B> extends Box<[...infer BR extends Shape, infer BL extends Dim]>
          ? BroadcastDim<AL, BL> extends infer D extends Dim
            ? Ends<AR, BR, T, [D, ...Tail]>
            : Undecided<A, B, Tail>
          : Box<B> extends Box<[]>
            ? Rejoined<[], A, Tail>
            : Undecided<A, B, Tail>
        : Box<A> extends Box<[]>
          ? Rejoined<[], B, Tail>
          : Box<B> extends Box<[]>
            ? Rejoined<[], A, Tail>
            : Fronts<A, B, T, Tail>;

/** A type parameter S beside a shape that is not one: the shape is empty or ends with S. */
type Beside<S extends Shape, B extends Shape, T, Tail extends Dim[]> =
  Box<B> extends Box<[]>
    ? Rejoined<[], S, Tail>
    : EndsWith<B, S, T> extends true
      ? Rejoined<[], B, Tail>
      : Undecided<S, B, Tail>;
type EndsWith<B, S, T> =
  IsParameter<B, T, NumberOrTensor> extends true
    ? Exact<B> extends Exact<S>
      ? true
      : false
    : Box<B> extends Box<[unknown, ...infer R extends Shape]>
      ? EndsWith<R, S, T>
      : false;

/** Two shapes that end with the same type parameter. */
type Fronts<A extends Shape, B extends Shape, T, Tail extends Dim[], Head extends Dim[] = []> =
  IsParameter<A, T, NumberOrTensor> extends true
    ? Exact<B> extends Exact<A>
      ? Rejoined<Head, A, Tail>
      : Undecided<A, B, Tail, Head>
    : Box<A> extends Box<[infer AF, ...infer AR extends Shape]>
      ? Box<B> extends Box<[infer BF, ...infer BR extends Shape]>
        ? BroadcastDim<AF, BF> extends infer D extends Dim
          ? Fronts<AR, BR, T, Tail, [...Head, D]>
          : Undecided<A, B, Tail, Head>
        : Undecided<A, B, Tail, Head>
      : Undecided<A, B, Tail, Head>;
