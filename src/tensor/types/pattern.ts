// What einsum and einops patterns share at the type level. The run-time twin is ../pattern.ts; both say the same words.
import type { DimText, Rest } from "./shape.ts";

/** "b t  d" is ["b", "t", "d"]. */
export type Words<S extends string, Out extends string[] = []> = S extends `${infer W} ${infer R}`
  ? Words<R, W extends "" ? Out : [...Out, W]>
  : S extends ""
    ? Out
    : [...Out, S];

type Around<S extends string, Mark extends string, Out extends string = ""> = S extends `${infer A}${Mark}${infer R}`
  ? Around<R, Mark, `${Out}${A} ${Mark} `>
  : `${Out}${S}`;

type Grouped<W, Group extends unknown[] | null = null, Out extends unknown[] = []> = W extends [
  infer I,
  ...infer R extends Rest<W>,
]
  ? I extends "("
    ? Grouped<R, [], Out>
    : I extends ")"
      ? Grouped<R, null, Group extends null ? Out : [...Out, Group]>
      : Group extends [...infer G extends Rest<Group>]
        ? Grouped<R, [...G, I], Out>
        : Grouped<R, null, [...Out, I]>
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

/** The first name that is not among `Known`; `null` when all are. */
export type FirstMissing<N, Known> = N extends [infer A, ...infer R extends Rest<N>]
  ? A extends Known
    ? FirstMissing<R, Known>
    : A
  : null;

/** The first name that stands twice; `null` when none does. */
export type FirstTwice<N, Seen = never> = N extends [infer A, ...infer R extends Rest<N>]
  ? A extends Seen
    ? A
    : FirstTwice<R, Seen | A>
  : null;

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

/** What "..." stands for: dimensions, `false` when the pattern has none, `null` when they are not known. */
export type Dots<A extends string> = A extends `${string}\n...=${infer T}\n${string}`
  ? T extends "*"
    ? null
    : Listed<T>
  : false;

/** `A` with the dimensions of "...", a shape or "*". */
export type BindDots<A extends string, S> = A extends `${infer Before}\n...=${string}\n${infer After}`
  ? `${Before}\n...=${S extends "*" ? S : ListText<S>}\n${After}`
  : `${A}...=${S extends "*" ? S : ListText<S>}\n`;
