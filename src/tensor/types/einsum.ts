// The shape of an einsum from its pattern. The run-time twin is ../einsum.ts.
import type {
  BindDots,
  DimsOf,
  Dots,
  FirstMissing,
  Front,
  IsAxes,
  Known,
  NoAxes,
  Places,
  Union,
  Words,
} from "./pattern.ts";
import type { IsUnknown, Rest, Shape, ShapeIn, ShapeText, Unless, Writable } from "./shape.ts";

type Letters<S extends string, Out extends string[] = []> = S extends ` ${infer R}`
  ? Letters<R, Out>
  : S extends `...${infer R}`
    ? Letters<R, [...Out, "..."]>
    : S extends `${infer C}${infer R}`
      ? Letters<R, [...Out, C]>
      : Out;

type Trimmed<S extends string> = S extends ` ${infer R}` ? Trimmed<R> : S extends `${infer R} ` ? Trimmed<R> : S;

type Terms<S extends string, Out extends string[] = []> = S extends `${infer A},${infer R}`
  ? Terms<R, [...Out, Trimmed<A>]>
  : [...Out, Trimmed<S>];

/** Names are words when any term has a space in it, letters (as NumPy reads them) when none has. */
type IsSpaced<T> = T extends [infer A, ...infer R extends Rest<T>]
  ? A extends `${string} ${string}`
    ? true
    : IsSpaced<R>
  : false;

type Axes<Term extends string, Spaced> = Spaced extends true ? Words<Term> : Letters<Term>;

type Split<T, Spaced, Out extends unknown[] = []> = T extends [infer A extends string, ...infer R extends Rest<T>]
  ? Split<R, Spaced, [...Out, Axes<A, Spaced>]>
  : Out;

/** Every name of the terms as a union. */
type AllNames<N, Out = never> = N extends [infer A, ...infer R extends Rest<N>] ? AllNames<R, Out | Union<A>> : Out;

/** The dimensions of all operands one after the other; of one whose rank is not known, none. */
type Dimensions<S, Out extends unknown[] = []> = S extends [infer A, ...infer R extends Rest<S>]
  ? Dimensions<R, A extends [...infer D extends Rest<A>] ? (IsUnknown<A> extends true ? Out : [...Out, ...D]) : Out>
  : Out;

type Zeros<S, Out extends 0[]> = S extends [infer _, ...infer R extends Rest<S>] ? Zeros<R, [...Out, 0]> : Out;

type All<N, Texts, S, Env, Before extends 0[] = [], A extends string = NoAxes> = N extends [
  infer N0,
  ...infer NR extends Rest<N>,
]
  ? S extends [infer S0, ...infer SR extends Rest<S>]
    ? Texts extends [infer T0 extends string, ...infer TR extends Rest<Texts>]
      ? IsUnknown<S0> extends true
        ? All<NR, TR, SR, Env, Before, T0 extends `${string}...${string}` ? BindDots<A, "*"> : A>
        : Front<N0, Places<S0, Before>, A, Env> extends infer Next
          ? Next extends string
            ? IsAxes<Next> extends true
              ? All<NR, TR, SR, Env, Zeros<S0, Before>, Next>
              : Next
            : `\`${T0}\` does not fit the shape ${ShapeText<S0>}`
          : never
      : A
    : A
  : A;

type Out<N, A extends string, Env, Done extends unknown[] = []> = N extends [
  infer K extends string,
  ...infer R extends Rest<N>,
]
  ? K extends "..."
    ? Dots<A> extends infer E
      ? E extends "*"
        ? Shape
        : Out<R, A, Env, [...Done, ...DimsOf<E, Env>]>
      : never
    : Out<R, A, Env, [...Done, Known<A, K, Env>]>
  : Done;

type Bound<N, Texts, O, S> =
  FirstMissing<O, AllNames<N> | "..."> extends infer M extends string
    ? `output axis ${M} is not in any operand`
    : Dimensions<S> extends infer Env
      ? All<N, Texts, S, Env> extends infer A extends string
        ? IsAxes<A> extends true
          ? Out<O, A, Env>
          : A
        : never
      : never;

type Run<T extends string[], Right extends string, S> =
  IsSpaced<[...T, Right]> extends infer Spaced ? Bound<Split<T, Spaced>, T, Axes<Right, Spaced>, S> : never;

type Analysed<P extends string, S> = string extends P
  ? Shape
  : IsUnknown<S> extends true
    ? Shape
    : P extends `${infer L}->${infer R}`
      ? Writable<S> extends infer W extends unknown[]
        ? Terms<L> extends infer T extends string[]
          ? T["length"] extends W["length"]
            ? Run<T, Trimmed<R>, W>
            : `expected ${T["length"]} tensors, got ${W["length"]}`
          : never
        : never
      : Shape;

/** The shape of `einsum(pattern, ...)`. */
export type EinsumShape<P extends string, S> = ShapeIn<Analysed<P, S>>;

/** `P`, or an error message where the pattern does not fit the operands. */
export type EinsumPattern<P extends string, S> = Unless<Analysed<P, S>, `einsum \`${P}\`: `, P>;
