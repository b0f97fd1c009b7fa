// The shape of an einsum from its pattern. The run-time twin is ../einsum.ts.
import type { Axes, Bind, Known, Sentence, Words } from "./pattern.ts";
import type { IsUnknown, Shape, ShapeIn, ShapeText, TryBroadcast } from "./shape.ts";

type Letters<S extends string, Out extends readonly string[] = []> = S extends ` ${infer R}`
  ? Letters<R, Out>
  : S extends `...${infer R}`
    ? Letters<R, [...Out, "..."]>
    : S extends `${infer C}${infer R}`
      ? Letters<R, [...Out, C]>
      : Out;

type Trimmed<S extends string> = S extends ` ${infer R}` ? Trimmed<R> : S extends `${infer R} ` ? Trimmed<R> : S;

type Terms<S extends string, Out extends readonly string[] = []> = S extends `${infer A},${infer R}`
  ? Terms<R, [...Out, Trimmed<A>]>
  : [...Out, Trimmed<S>];

/** Names are words when any term has a space in it, letters (as NumPy reads them) when none has. */
type IsSpaced<T extends readonly string[]> = T[number] extends infer Term
  ? true extends (Term extends `${string} ${string}` ? true : false)
    ? true
    : false
  : false;

type Split<T extends readonly string[], Spaced extends boolean> = {
  [I in keyof T]: Spaced extends true ? Words<T[I]> : Letters<T[I]>;
};

type Back<N extends readonly string[], S extends Shape, A extends Axes> = N extends readonly [
  ...infer R extends readonly string[],
  infer K extends string,
]
  ? S extends readonly [...infer SR extends Shape, infer D extends Shape[number]]
    ? Bind<A, K, D> extends infer Next
      ? Next extends Axes
        ? Back<R, SR, Next>
        : Next
      : never
    : null
  : "..." extends keyof A
    ? TryBroadcast<Extract<A["..."], Shape>, S> extends infer B
      ? B extends Shape
        ? { readonly [P in keyof A]: P extends "..." ? B : A[P] }
        : `the axes of \`...\` are both ${ShapeText<Extract<A["..."], Shape>>} and ${ShapeText<S>}`
      : never
    : { readonly [P in keyof A | "..."]: P extends keyof A ? A[P] : S };

/** Axes with those of one operand; a sentence when they disagree; `null` when the ranks do. */
type Front<N extends readonly string[], S extends Shape, A extends Axes> = N extends readonly [
  infer K extends string,
  ...infer R extends readonly string[],
]
  ? K extends "..."
    ? Back<R, S, A>
    : S extends readonly [infer D extends Shape[number], ...infer SR extends Shape]
      ? Bind<A, K, D> extends infer Next
        ? Next extends Axes
          ? Front<R, SR, Next>
          : Next
        : never
      : null
  : S extends readonly []
    ? A
    : null;

type All<
  N extends readonly (readonly string[])[],
  Texts extends readonly string[],
  S extends readonly Shape[],
  A extends Axes = Record<never, never>,
> = N extends readonly [infer N0 extends readonly string[], ...infer NR extends readonly (readonly string[])[]]
  ? S extends readonly [infer S0 extends Shape, ...infer SR extends readonly Shape[]]
    ? Texts extends readonly [infer T0 extends string, ...infer TR extends readonly string[]]
      ? IsUnknown<S0> extends true
        ? All<NR, TR, SR, A & ("..." extends N0[number] ? { readonly "...": Shape } : unknown)>
        : Front<N0, S0, A> extends infer Next
          ? Next extends Axes
            ? All<NR, TR, SR, Next>
            : Next extends Sentence
              ? Next
              : `\`${T0}\` does not fit the shape ${ShapeText<S0>}`
          : never
      : A
    : A
  : A;

type Out<N extends readonly string[], A extends Axes, Done extends Shape = []> = N extends readonly [
  infer K extends string,
  ...infer R extends readonly string[],
]
  ? K extends "..."
    ? A extends { readonly "...": infer E extends Shape }
      ? IsUnknown<E> extends true
        ? Shape
        : Out<R, A, [...Done, ...E]>
      : Out<R, A, Done>
    : Out<R, A, [...Done, Known<A, K>]>
  : Done;

type Missing<N extends readonly string[], Known extends string> = N extends readonly [
  infer K extends string,
  ...infer R extends readonly string[],
]
  ? K extends Known | "..."
    ? Missing<R, Known>
    : K
  : null;

type Run<Left extends string, Right extends string, S extends readonly Shape[]> =
  Terms<Left> extends infer T extends readonly string[]
    ? T["length"] extends S["length"]
      ? IsSpaced<[...T, Trimmed<Right>]> extends infer Spaced extends boolean
        ? [Split<T, Spaced>, Split<[Trimmed<Right>], Spaced>[0]] extends [
            infer N extends readonly (readonly string[])[],
            infer O extends readonly string[],
          ]
          ? Missing<O, N[number][number]> extends infer M extends string
            ? `output axis ${M} is in no operand`
            : All<N, T, S> extends infer A
              ? A extends Axes
                ? Out<O, A>
                : A
              : never
          : never
        : never
      : `there are ${T["length"] & number} terms for ${S["length"]} tensors`
    : never;

type Analysed<P extends string, S extends readonly Shape[]> = string extends P
  ? Shape
  : number extends S["length"]
    ? Shape
    : P extends `${infer L}->${infer R}`
      ? Run<L, R, S>
      : Shape;

/** The shape of `einsum(pattern, ...)`. */
export type EinsumShape<P extends string, S extends readonly Shape[]> = ShapeIn<Analysed<P, S>>;

/** `P`, or a sentence that says why the pattern does not fit the operands. */
export type EinsumPattern<P extends string, S extends readonly Shape[]> =
  Analysed<P, S> extends infer R ? (R extends Sentence ? `einsum \`${P}\`: ${R}` : P) : never;
