// Axes by number or by name.
import type { Dim, IsUnknown, Shape, ShapeText } from "./shape.ts";

/** An axis: its number, from the end when negative, or its name. */
export type Axis = number | string;

type Find<S extends Shape, Name extends string, Before extends readonly unknown[] = []> = S extends readonly [
  infer D,
  ...infer R extends Shape,
]
  ? D extends Name
    ? Before["length"]
    : Find<R, Name, [...Before, D]>
  : null;

/** The number of elements before the last `N` of `S`. */
type FromEnd<S extends Shape, N extends number, Taken extends readonly unknown[] = []> = Taken["length"] extends N
  ? S["length"]
  : S extends readonly [...infer R extends Shape, Dim]
    ? FromEnd<R, N, [...Taken, 0]>
    : null;

/** The place of an axis in a known shape; `null` when it has none, `number` when that is not known. */
export type Place<S extends Shape, A extends Axis> =
  IsUnknown<S> extends true
    ? number
    : A extends string
      ? string extends A
        ? number
        : Find<S, A> extends infer P
          ? P extends null
            ? Extract<S[number], number> extends never
              ? null
              : number
            : P
          : never
      : number extends A
        ? number
        : `${A}` extends `-${infer N extends number}`
          ? FromEnd<S, N>
          : `${A}` extends keyof S
            ? A
            : null;

/** Every axis of a list, or the one. */
type List<A> = A extends readonly Axis[] ? A : A extends Axis ? readonly [A] : readonly Axis[];

type Places<S extends Shape, A extends readonly Axis[], Out extends number = never> = A extends readonly [
  infer X extends Axis,
  ...infer R extends readonly Axis[],
]
  ? Place<S, X> extends infer P
    ? P extends number
      ? Places<S, R, Out | P>
      : { readonly missing: X }
    : never
  : A extends readonly []
    ? Out
    : number;

type Without<
  S extends Shape,
  P extends number,
  Keep,
  Out extends Shape = [],
  I extends readonly unknown[] = [],
> = S extends readonly [infer D extends Dim, ...infer R extends Shape]
  ? I["length"] extends P
    ? Without<R, P, Keep, Keep extends true ? [...Out, 1] : Out, [...I, 0]>
    : Without<R, P, Keep, [...Out, D], [...I, 0]>
  : Out;

/** A shape without some axes, or with one element there; all axes when none is given. */
export type Reduced<S extends Shape, A, Keep = false> =
  IsUnknown<S> extends true
    ? Shape
    : [A] extends [undefined]
      ? Keep extends true
        ? { [I in keyof S]: 1 }
        : []
      : undefined extends A
        ? Shape
        : Places<S, List<A>> extends infer P extends number
          ? number extends P
            ? Shape
            : Without<S, P, Keep>
          : Shape;

/** `A`, or a sentence that says which axis the shape does not have. An axis that may be undefined is left to the run. */
export type AxisOf<Op extends string, S extends Shape, A> = undefined extends A
  ? A
  : Places<S, List<A>> extends { readonly missing: infer X extends Axis }
    ? `${Op}: axis ${X} is not in ${ShapeText<S>}`
    : A;

/** A shape with one dimension changed. */
export type WithDim<S extends Shape, A extends Axis, D extends Dim> =
  Place<S, A> extends infer P extends number
    ? number extends P
      ? Shape
      : { -readonly [I in keyof S]: I extends `${P}` ? D : S[I] }
    : Shape;
