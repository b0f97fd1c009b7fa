// The shape of rearrange, reduce and repeat from the pattern. The run-time twin is ../rearrange.ts.
import type { Multiply, Product, Quotient } from "./number.ts";
import type { Axes, Bind, FirstMissing, FirstTwice, Item, Items, Known, Names, Sentence } from "./pattern.ts";
import type { Dim, DimText, IsUnknown, SameDim, Shape, ShapeIn, ShapeText } from "./shape.ts";

export type PatternOp = "rearrange" | "reduce" | "repeat";
export type AxisSizes = { readonly [axis: string]: number };

type GroupText<G extends readonly string[], Out extends string = ""> = G extends readonly [
  infer K extends string,
  ...infer R extends readonly string[],
]
  ? GroupText<R, Out extends "" ? K : `${Out} ${K}`>
  : `(${Out})`;

/** The product of the members whose size is known, and the members whose size is not. */
type SplitGroup<
  G extends readonly string[],
  A extends Axes,
  P extends Dim = 1,
  Open extends readonly string[] = [],
> = G extends readonly [infer K extends string, ...infer R extends readonly string[]]
  ? K extends keyof A | `${number}`
    ? SplitGroup<R, A, Multiply<P, Known<A, K>>, Open>
    : SplitGroup<R, A, P, [...Open, K]>
  : [P, Open];

type BindGroup<G extends readonly string[], D extends Dim, A extends Axes> =
  SplitGroup<G, A> extends [infer P extends Dim, infer Open extends readonly string[]]
    ? Open extends readonly []
      ? SameDim<P, D> extends false
        ? `axis ${GroupText<G>} is both ${DimText<P>} and ${DimText<D>}`
        : A
      : Open extends readonly [infer K extends string]
        ? Quotient<D, P> extends infer Q
          ? Q extends Dim
            ? Bind<A, K, Q>
            : `axis ${GroupText<G>} is ${DimText<D>}, which ${DimText<P>} does not divide`
          : never
        : `axis ${GroupText<G>} needs the sizes of all its parts but one`
    : never;

type BindItem<I extends Item, D extends Dim, A extends Axes> = I extends readonly string[]
  ? BindGroup<I, D, A>
  : I extends `${infer N extends number}`
    ? SameDim<N, D> extends false
      ? `axis ${N} is both ${N} and ${DimText<D>}`
      : A
    : I extends string
      ? Bind<A, I, D>
      : never;

type Back<I extends readonly Item[], S extends Shape, A extends Axes> = I extends readonly [
  ...infer R extends readonly Item[],
  infer K extends Item,
]
  ? S extends readonly [...infer SR extends Shape, infer D extends Dim]
    ? BindItem<K, D, A> extends infer Next
      ? Next extends Axes
        ? Back<R, SR, Next>
        : Next
      : never
    : null
  : { readonly [P in keyof A | "..."]: P extends keyof A ? A[P] : S };

/** The axes of the left side; a sentence when they disagree; `null` when the ranks do. */
type Front<I extends readonly Item[], S extends Shape, A extends Axes> = I extends readonly [
  infer K extends Item,
  ...infer R extends readonly Item[],
]
  ? K extends "..."
    ? Back<R, S, A>
    : S extends readonly [infer D extends Dim, ...infer SR extends Shape]
      ? BindItem<K, D, A> extends infer Next
        ? Next extends Axes
          ? Front<R, SR, Next>
          : Next
        : never
      : null
  : S extends readonly []
    ? A
    : null;

type Members<G extends readonly string[], A extends Axes, Done extends readonly Dim[] = []> = G extends readonly [
  infer K extends string,
  ...infer R extends readonly string[],
]
  ? K extends "..."
    ? A extends { readonly "...": infer E extends Shape }
      ? Members<R, A, [...Done, ...E]>
      : readonly Dim[]
    : Members<R, A, [...Done, Known<A, K>]>
  : Done;

type Out<I extends readonly Item[], A extends Axes, Done extends Shape = []> = I extends readonly [
  infer K extends Item,
  ...infer R extends readonly Item[],
]
  ? K extends readonly string[]
    ? Out<R, A, [...Done, Product<Members<K, A>>]>
    : K extends "..."
      ? A extends { readonly "...": infer E extends Shape }
        ? Out<R, A, [...Done, ...E]>
        : Shape
      : Out<R, A, [...Done, Known<A, Extract<K, string>>]>
  : Done;

/** Which names may stand on one side only: none in rearrange, the left's in reduce, the right's in repeat if sized. */
type CheckNames<
  Op extends PatternOp,
  L extends readonly string[],
  R extends readonly string[],
  Sizes extends AxisSizes,
> =
  FirstTwice<L> extends infer T extends string
    ? `axis ${T} stands twice on the left`
    : FirstTwice<R> extends infer T extends string
      ? `axis ${T} stands twice on the right`
      : (Op extends "reduce" ? null : FirstMissing<L, R[number]>) extends infer M extends string
        ? `axis ${M} is only on the left`
        : FirstMissing<
              R,
              L[number] | (Op extends "repeat" ? Extract<keyof Sizes, string> : never)
            > extends infer M extends string
          ? Op extends "repeat"
            ? `axis ${M} is new and needs a size`
            : `axis ${M} is only on the right`
          : string extends keyof Sizes
            ? null
            : Exclude<keyof Sizes, L[number] | R[number]> extends infer M
              ? [M] extends [never]
                ? null
                : `axis ${M & string} has a size but is not in the pattern`
              : null;

type Run<
  Op extends PatternOp,
  L extends readonly Item[],
  R extends readonly Item[],
  LeftText extends string,
  S extends Shape,
  Sizes extends AxisSizes,
> =
  CheckNames<Op, Names<L>, Names<R>, Sizes> extends infer Wrong extends string
    ? Wrong
    : IsUnknown<S> extends true
      ? Out<R, Sizes>
      : Front<L, S, Sizes> extends infer A
        ? A extends Axes
          ? Out<R, A>
          : A extends Sentence
            ? A
            : `\`${LeftText}\` does not fit the shape ${ShapeText<S>}`
        : never;

type TrimEnd<S extends string> = S extends `${infer R} ` ? TrimEnd<R> : S extends ` ${infer R}` ? TrimEnd<R> : S;

/**
 * Sizes as a union of pairs, and back. Every `{ h: 8 }` in a program is a type of its own, of which the compiler would work
 * out all of the rest anew; equal pairs are one type.
 */
type Pairs<Sizes extends AxisSizes> = { [K in keyof Sizes]-?: readonly [K, Sizes[K]] }[keyof Sizes];
type Sized<E> = {
  readonly [X in E as X extends readonly [infer K extends string, number] ? K : never]: X extends readonly [
    string,
    infer N extends number,
  ]
    ? N
    : never;
};

type Analysed<Op extends PatternOp, P extends string, S extends Shape, E> = string extends P
  ? Shape
  : P extends `${infer L}->${infer R}`
    ? Run<Op, Items<L>, Items<R>, TrimEnd<L>, S, Sized<E>>
    : `there is no \`->\``;

/** The shape of `rearrange(x, pattern, sizes)`. */
export type PatternShape<Op extends PatternOp, P extends string, S extends Shape, Sizes extends AxisSizes> = ShapeIn<
  Analysed<Op, P, S, Pairs<Sizes>>
>;

/** `P`, or a sentence that says why the pattern does not fit the shape. */
export type PatternFor<Op extends PatternOp, P extends string, S extends Shape, Sizes extends AxisSizes> =
  Analysed<Op, P, S, Pairs<Sizes>> extends infer R ? (R extends Sentence ? `${Op} \`${P}\`: ${R}` : P) : never;
