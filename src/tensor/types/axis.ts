// Axes by number or by name.
import type { Box, Evidence, IsParameter, Resolved, Unresolved } from "./generic.ts";
import type { Dim, Fit, IsUnknown, Rest, Shape, ShapeIn, ShapeText, Writable } from "./shape.ts";

/** An axis: its number, from the end when negative, or its name. */
export type Axis = number | string;

/** One axis, several, or all. */
export type AxisList = Axis | readonly Axis[] | undefined;

/** A dimension of which only the size is known may have the name. */
type Find<S, Name, Before extends 0[] = [], None = false> = S extends [infer D, ...infer R extends Rest<S>]
  ? D extends Name
    ? Before["length"]
    : Find<R, Name, [...Before, 0], D extends number ? number : None>
  : None;

type Has<S, A, Before extends 0[] = []> = S extends [infer _, ...infer R extends Rest<S>]
  ? Before["length"] extends A
    ? A
    : Has<R, A, [...Before, 0]>
  : false;

/** The number of dimensions. */
export type Rank<S, Before extends 0[] = []> = S extends [infer _, ...infer R extends Rest<S>]
  ? Rank<R, [...Before, 0]>
  : Before["length"];

/** The number of elements before the last `N` of `S`. */
type FromEnd<S, N, Taken extends 0[] = []> = Taken["length"] extends N
  ? Rank<S>
  : S extends [...infer R extends Rest<S>, infer _]
    ? FromEnd<R, N, [...Taken, 0]>
    : false;

/** The place of an axis in a known shape; `false` when it has none, `number` when that is not known. */
export type Place<S, A> =
  IsUnknown<S> extends true
    ? number
    : A extends string
      ? string extends A
        ? number
        : Find<S, A>
      : number extends A
        ? number
        : `${A & number}` extends `-${infer N extends number}`
          ? FromEnd<S, N>
          : Has<S, A>;

/** Every axis of a list, or the one. */
type List<A> = A extends readonly unknown[] ? Writable<A> : [A];

/** The places of some axes, and -1; the text of the first that the shape does not have. */
type Places<S, A, Out extends number = -1> = A extends [infer X extends Axis, ...infer R extends Rest<A>]
  ? Place<S, X> extends infer P extends number
    ? Places<S, R, Out | P>
    : `${X}`
  : A extends []
    ? Out
    : number;

type Without<S, P, Keep, Out extends unknown[] = [], I extends 0[] = []> = S extends [
  infer D,
  ...infer R extends Rest<S>,
]
  ? I["length"] extends P
    ? Without<R, P, Keep, Keep extends true ? [...Out, 1] : Out, [...I, 0]>
    : Without<R, P, Keep, [...Out, D], [...I, 0]>
  : Out;

type Ones<S, Out extends 1[] = []> = S extends [infer _, ...infer R extends Rest<S>] ? Ones<R, [...Out, 1]> : Out;

/** Without strictNullChecks `undefined` extends all, so that it must stand on the left. */
type MaybeUndefined<A> = [Extract<A, undefined>] extends [never] ? false : true;

/** A shape without some axes, or with one element there; all axes when none is given. */
export type Reduced<S extends Shape, A, Keep = false> = [A] extends [undefined]
  ? Keep extends true
    ? ReducedKnown<S, A, Keep>
    : []
  : Evidence<Unresolved<S>, A> extends Evidence<Resolved<S>, AxisList>
    ? ReducedGeneric<S, A, Keep>
    : ReducedKnown<S, A, Keep>;

/** The same for a shape without a type parameter. With one it is decided when the parameter is known. */
export type ReducedKnown<S, A, Keep> =
  IsUnknown<S> extends true
    ? Shape
    : [A] extends [undefined]
      ? Ones<S>
      : MaybeUndefined<A> extends true
        ? Shape
        : Places<S, List<A>> extends infer P extends number
          ? number extends P
            ? Shape
            : ShapeIn<Without<S, P, Keep>>
          : Shape;

/** The last dimensions, up to three, apart from the type parameter. Written out: the compiler would follow a recursion without end. */
type ReducedGeneric<S extends Shape, A, Keep> =
  IsParameter<S, A, AxisList> extends true
    ? ReducedKnown<S, A, Keep>
    : Box<S> extends Box<[...infer R extends Shape, infer X extends Dim, infer Y extends Dim, infer Z extends Dim]>
      ? ReducedHead<S, R, A, Keep, [X, Y, Z]>
      : Box<S> extends Box<[...infer R extends Shape, infer X extends Dim, infer Y extends Dim]>
        ? ReducedHead<S, R, A, Keep, [X, Y]>
        : Box<S> extends Box<[...infer R extends Shape, infer X extends Dim]>
          ? ReducedHead<S, R, A, Keep, [X]>
          : ReducedHead<S, S, A, Keep, []>;
/** The same for the first, up to two. */
type ReducedHead<Whole, S extends Shape, A, Keep, Tail extends Dim[]> =
  IsParameter<S, A, AxisList> extends true
    ? ReducedBeside<Whole, S, A, Keep, [], Tail>
    : Box<S> extends Box<[infer X extends Dim, infer Y extends Dim, ...infer R extends Shape]>
      ? ReducedBeside<Whole, R, A, Keep, [X, Y], Tail>
      : Box<S> extends Box<[infer X extends Dim, ...infer R extends Shape]>
        ? ReducedBeside<Whole, R, A, Keep, [X], Tail>
        : ReducedKnown<Whole, A, Keep>;

/** `S` is a type parameter: the axes are among the dimensions after it, counted from the end, or among those before it. */
type ReducedBeside<Whole, S extends Shape, A, Keep, Head extends Dim[], Tail extends Dim[]> = [
  Places<Tail, List<A>>,
  Numbered<A>,
] extends [infer P extends number, `-${string}`]
  ? number extends P
    ? ReducedKnown<Whole, A, Keep>
    : Rejoined<Head, S, DimsIn<Without<Tail, P, Keep>>>
  : [Places<Head, List<A>>, Extract<Numbered<A>, `-${string}`>] extends [infer P extends number, never]
    ? number extends P
      ? ReducedKnown<Whole, A, Keep>
      : Rejoined<DimsIn<Without<Head, P, Keep>>, S, Tail>
    : ReducedKnown<Whole, A, Keep>;

/** `Head`, S and `Tail` as one shape; S itself where both are empty. */
export type Rejoined<Head extends Dim[], S extends Shape, Tail extends Dim[]> = [Head, Tail] extends [[], []]
  ? S
  : [...Head, ...S, ...Tail];
type DimsIn<X> = X extends Dim[] ? X : never;

/** The numbers among some axes, as text. */
type Numbered<A> = `${Extract<A extends readonly (infer X)[] ? X : A, number>}`;

/** `A`, or an error message with the axis that the shape does not have. An axis that may be undefined is checked at run time. */
export type AxisOf<Op extends string, S, A> =
  Evidence<Unresolved<S>, A> extends Evidence<Resolved<S>, AxisList>
    ? A
    : MaybeUndefined<A> extends true
      ? A
      : [Fit<Places<S, List<A>>>] extends [never]
        ? NoAxis<Op, Places<S, List<A>>, S>
        : A;

type NoAxis<Op extends string, X, S> = [X] extends [infer M extends string]
  ? `${Op}: axis ${M} is not in ${ShapeText<S>}`
  : never;

type Replaced<S, P, D, Out extends unknown[] = [], I extends 0[] = []> = S extends [infer X, ...infer R extends Rest<S>]
  ? I["length"] extends P
    ? [...Out, D, ...R]
    : Replaced<R, P, D, [...Out, X], [...I, 0]>
  : Out;

type Numbers<S, Out extends number[] = []> = S extends [infer _, ...infer R extends Rest<S>]
  ? Numbers<R, [...Out, number]>
  : Out;

/** Every dimension may have changed; only their number is known, and how many are new. */
export type SameRank<S, New extends number[] = []> = IsUnknown<S> extends true ? Shape : Numbers<S, New>;

/** A shape with one dimension changed. */
export type WithDim<S, A, D> =
  Place<S, A> extends infer P extends number ? (number extends P ? SameRank<S> : ShapeIn<Replaced<S, P, D>>) : Shape;
