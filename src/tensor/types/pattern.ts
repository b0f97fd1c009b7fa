// What einsum and einops patterns share at the type level. The run-time twin is ../pattern.ts; both say the same words.
import type { Multiply, Quotient } from "./number.ts";
import type { DimText, Rest, SameDim, ShapeText, TryBroadcast } from "./shape.ts";

/** "b t  d" is ["b", "t", "d"]. */
export type Words<S extends string, Out extends string[] = []> = S extends `${infer W} ${infer R}`
  ? Words<R, W extends "" ? Out : [...Out, W]>
  : S extends ""
    ? Out
    : [...Out, S];

type Around<S extends string, Mark extends string, Out extends string = ""> = S extends `${infer A}${Mark}${infer R}`
  ? Around<R, Mark, `${Out}${A} ${Mark} `>
  : `${Out}${S}`;

type Grouped<W, Group extends unknown[] | false = false, Out extends unknown[] = []> = W extends [
  infer I,
  ...infer R extends Rest<W>,
]
  ? I extends "("
    ? Grouped<R, [], Out>
    : I extends ")"
      ? Grouped<R, false, Group extends false ? Out : [...Out, Group]>
      : Group extends [...infer G extends Rest<Group>]
        ? Grouped<R, [...G, I], Out>
        : Grouped<R, false, [...Out, I]>
  : Out;

/** The axes of one term: "b t (h d)" is ["b", "t", ["h", "d"]]. */
export type Items<S extends string> = Grouped<Words<Around<Around<S, "(">, ")">>>;

/** Every name of a term in order, sizes and "..." left out. */
export type Names<I, Out extends string[] = []> = I extends [infer A, ...infer R extends Rest<I>]
  ? A extends string
    ? Names<R, A extends "..." | `${number}` ? Out : [...Out, A]>
    : A extends [...infer G extends Rest<A>]
      ? Names<[...G, ...R], Out>
      : Out
  : Out;

/** The names of a list as a union. */
export type Union<N, Out = never> = N extends [infer A, ...infer R extends Rest<N>] ? Union<R, Out | A> : Out;

/** The first name that is not among `Known`; `false` when all are. */
export type FirstMissing<N, Known> = N extends [infer A, ...infer R extends Rest<N>]
  ? A extends Known
    ? FirstMissing<R, Known>
    : A
  : false;

/** The first name that stands twice; `false` when none does. */
export type FirstTwice<N, Seen = never> = N extends [infer A, ...infer R extends Rest<N>]
  ? A extends Seen
    ? A
    : FirstTwice<R, Seen | A>
  : false;

// The axes that are known so far are a text, one line each, as a text is searched faster than an object type is made:
// "\nb=batch\nt=128\nd=?\n". Of "..." it holds all dimensions, "2,batch", or "*" when these are not known.

/** No axis is known. */
export type NoAxes = "\n";
/** What a step gives: axes, or a sentence that says why the pattern failed. */
export type IsAxes<A> = A extends `\n${string}` ? true : false;

/** What two texts of dimensions that must be the same are; as SameDim. */
type SameText<A extends string, B extends string> = A extends B
  ? A
  : A extends "?"
    ? B
    : B extends "?"
      ? A
      : A extends `${number}`
        ? B extends `${number}`
          ? false
          : B
        : B extends `${number}`
          ? A
          : false;

/** `A` with `axis` known to be `D`, or why that cannot be. */
export type Bind<A extends string, K extends string, D> = A extends `${infer Before}\n${K}=${infer Old}\n${infer After}`
  ? SameText<Old, DimText<D>> extends infer Same
    ? Same extends string
      ? Same extends Old
        ? A
        : `${Before}\n${K}=${Same}\n${After}`
      : `axis ${K} is both ${Old} and ${DimText<D>}`
    : never
  : `${A}${K}=${DimText<D>}\n`;

/** The dimension that a text stands for. */
export type DimOf<T> = T extends `${infer N extends number}` ? N : T extends "?" ? number : T;

/** The axis's dimension, `number` where it is not known. */
export type Known<A extends string, K extends string> = K extends `${infer N extends number}`
  ? N
  : A extends `${string}\n${K}=${infer D}\n${string}`
    ? DimOf<D>
    : number;

type ListText<S, Out extends string = ""> = S extends [infer D, ...infer R extends Rest<S>]
  ? ListText<R, `${Out}${DimText<D>},`>
  : Out;

type Listed<T extends string, Out extends unknown[] = []> = T extends `${infer D},${infer R}`
  ? Listed<R, [...Out, DimOf<D>]>
  : Out;

/** What "..." stands for: dimensions, `false` when the pattern has none, `"*"` when they are not known. */
export type Dots<A extends string> = A extends `${string}\n...=${infer T}\n${string}`
  ? T extends "*"
    ? "*"
    : Listed<T>
  : false;

/** `A` with the dimensions of "...", a shape or "*". */
export type BindDots<A extends string, S> = A extends `${infer Before}\n...=${string}\n${infer After}`
  ? `${Before}\n...=${S extends "*" ? S : ListText<S>}\n${After}`
  : `${A}...=${S extends "*" ? S : ListText<S>}\n`;

type GroupText<G, Out extends string = ""> = G extends [infer K extends string, ...infer R extends Rest<G>]
  ? GroupText<R, Out extends "" ? K : `${Out} ${K}`>
  : `(${Out})`;

/** The product of the members whose size is known, and the one whose size is not; `false` when there are more of these. */
type SplitGroup<G, A extends string, P = 1, Open = false> = G extends [
  infer K extends string,
  ...infer R extends Rest<G>,
]
  ? IsKnown<A, K> extends true
    ? SplitGroup<R, A, Multiply<P, Known<A, K>>, Open>
    : Open extends false
      ? SplitGroup<R, A, P, K>
      : false
  : [P, Open];

type IsKnown<A extends string, K extends string> = K extends `${number}`
  ? true
  : A extends `${string}\n${K}=${string}`
    ? true
    : false;

type BindGroup<G, D, A extends string> =
  SplitGroup<G, A> extends [infer P, infer Open]
    ? Open extends string
      ? Quotient<D, P> extends infer Q
        ? Q extends false
          ? `axis ${GroupText<G>} is ${DimText<D>}, which ${DimText<P>} does not divide`
          : Bind<A, Open, Q>
        : never
      : SameDim<P, D> extends false
        ? `axis ${GroupText<G>} is both ${DimText<P>} and ${DimText<D>}`
        : A
    : `axis ${GroupText<G>} needs the sizes of all its parts but one`;

type BindItem<I, D, A extends string> = I extends string
  ? I extends `${infer N extends number}`
    ? SameDim<N, D> extends false
      ? `axis ${N} is both ${N} and ${DimText<D>}`
      : A
    : Bind<A, I, D>
  : BindGroup<I, D, A>;

/** The axes after "...", from the last; what "..." stands for in several operands is broadcast. */
type Back<I, S, A extends string> = I extends [...infer R extends Rest<I>, infer K]
  ? S extends [...infer SR extends Rest<S>, infer D]
    ? BindItem<K, D, A> extends infer Next extends string
      ? IsAxes<Next> extends true
        ? Back<R, SR, Next>
        : Next
      : never
    : false
  : Dots<A> extends infer Old
    ? Old extends "*"
      ? A
      : Old extends false
        ? BindDots<A, S>
        : TryBroadcast<Old, S> extends infer B
          ? B extends string
            ? `the axes of \`...\` are both ${ShapeText<Old>} and ${ShapeText<S>}`
            : BindDots<A, B>
          : never
    : never;

/** `A` with the axes of a term; a sentence when they disagree; `false` when the ranks do. */
export type Front<I, S, A extends string> = I extends [infer K, ...infer R extends Rest<I>]
  ? K extends "..."
    ? Back<R, S, A>
    : S extends [infer D, ...infer SR extends Rest<S>]
      ? BindItem<K, D, A> extends infer Next extends string
        ? IsAxes<Next> extends true
          ? Front<R, SR, Next>
          : Next
        : never
      : false
  : S extends []
    ? A
    : false;
