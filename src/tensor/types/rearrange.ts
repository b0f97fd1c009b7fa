// The shape of rearrange, reduce and repeat from the pattern. The run-time twin is ../rearrange.ts.
import type { Product } from "./number.ts";
import type {
  Bind,
  DimsOf,
  Dots,
  FirstMissing,
  FirstTwice,
  Front,
  IsAxes,
  Items,
  Known,
  Names,
  NoAxes,
  Places,
  Union,
} from "./pattern.ts";
import type { DimText, IsUnknown, Rest, Shape, ShapeIn, ShapeText, Unless } from "./shape.ts";

export type PatternOp = "rearrange" | "reduce" | "repeat";
export type AxisSizes = { readonly [axis: string]: number };

/** `false` where "..." stands for what is not known. */
type Members<G, A extends string, Env, Done extends unknown[] = []> = G extends [
  infer K extends string,
  ...infer R extends Rest<G>,
]
  ? K extends "..."
    ? Dots<A> extends [...infer E extends Rest<G>]
      ? Members<R, A, Env, [...Done, ...DimsOf<E, Env>]>
      : false
    : Members<R, A, Env, [...Done, Known<A, K, Env>]>
  : Done;

type Out<I, A extends string, Env, Done extends unknown[] = []> = I extends [infer K, ...infer R extends Rest<I>]
  ? K extends string
    ? K extends "..."
      ? Dots<A> extends [...infer E extends Rest<I>]
        ? Out<R, A, Env, [...Done, ...DimsOf<E, Env>]>
        : Shape
      : Out<R, A, Env, [...Done, Known<A, K, Env>]>
    : Out<R, A, Env, [...Done, Product<Members<K, A, Env>>]>
  : Done;

/** Which names may stand on one side only: none in rearrange, the left's in reduce, the right's in repeat if sized. */
type CheckNames<Op extends PatternOp, L, R, Sized> =
  FirstTwice<L> extends infer T extends string
    ? `axis ${T} appears twice on the left-hand side`
    : FirstTwice<R> extends infer T extends string
      ? `axis ${T} appears twice on the right-hand side`
      : (Op extends "reduce" ? false : FirstMissing<L, Union<R>>) extends infer M extends string
        ? `axis ${M} appears only on the left-hand side`
        : FirstMissing<R, Union<L> | (Op extends "repeat" ? Sized : never)> extends infer M extends string
          ? Op extends "repeat"
            ? `axis ${M} is new and needs a size`
            : `axis ${M} appears only on the right-hand side`
          : string extends Sized
            ? false
            : Exclude<Sized, Union<L> | Union<R>> extends infer M
              ? [M] extends [never]
                ? false
                : `axis ${M & string} has a size but is not in the pattern`
              : false;

/**
 * Sizes as a union of texts "h=8". Every `{ h: 8 }` in a program is a type of its own, of which the compiler would work out
 * all of the rest anew; equal texts are one type.
 */
type Sizes<S> = { [K in keyof S & string]-?: `${K}=${DimText<S[K]>}` }[keyof S & string];
type SizedNames<E> = E extends `${infer K}=${string}` ? K : never;
type SizeOf<E, K extends string> = `${K}=?` extends E ? "?" : E extends `${K}=${infer D}` ? D : never;

/** The axes of a list that have a size. */
type Sized<N, E, A extends string = NoAxes> = N extends [infer K extends string, ...infer R extends Rest<N>]
  ? SizeOf<E, K> extends infer D
    ? Sized<R, E, [D] extends [never] ? A : Bind<A, K, D & string, []>>
    : never
  : A;

type Run<Op extends PatternOp, L, R, LeftText extends string, S, E> =
  CheckNames<Op, Names<L>, Names<R>, SizedNames<E>> extends infer Wrong extends string
    ? Wrong
    : Sized<[...Names<L>, ...Names<R>], E> extends infer Start extends string
      ? IsUnknown<S> extends true
        ? Out<R, Start, []>
        : Front<L, Places<S, []>, Start, S> extends infer A
          ? A extends string
            ? IsAxes<A> extends true
              ? Out<R, A, S>
              : A
            : `\`${LeftText}\` does not fit the shape ${ShapeText<S>}`
          : never
      : never;

type TrimEnd<S extends string> = S extends `${infer R} ` ? TrimEnd<R> : S extends ` ${infer R}` ? TrimEnd<R> : S;

type Analysed<Op extends PatternOp, P extends string, S, E> = string extends P
  ? Shape
  : P extends `${infer L}->${infer R}`
    ? Run<Op, Items<L>, Items<R>, TrimEnd<L>, S, E>
    : `pattern contains no \`->\``;

/** The shape of `rearrange(x, pattern, sizes)`. */
export type PatternShape<Op extends PatternOp, P extends string, S, Given> = ShapeIn<Analysed<Op, P, S, Sizes<Given>>>;

/** `P`, or an error message where the pattern does not fit the shape. */
export type PatternFor<Op extends PatternOp, P extends string, S, Given> = Unless<
  Analysed<Op, P, S, Sizes<Given>>,
  `${Op} \`${P}\`: `,
  P
>;
