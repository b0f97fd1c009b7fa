// What einsum and einops patterns share at the type level. The run-time twin is ../pattern.ts; both say the same words.
import type { Dim, DimText, SameDim, Shape } from "./shape.ts";

/** The axes of one term: names, sizes as text, "...", or a list of names for an axis made of several: "(h d)". */
export type Item = string | readonly string[];
/** The axes that are known so far, "..." among them. */
export type Axes = { readonly [axis: string]: Dim | Shape };

/** A pattern that failed: a sentence. Every step gives either its result or such a sentence. */
export type Sentence = string;

export type Words<S extends string, Out extends readonly string[] = []> = S extends `${infer W} ${infer R}`
  ? Words<R, W extends "" ? Out : [...Out, W]>
  : S extends ""
    ? Out
    : [...Out, S];

type Around<S extends string, Mark extends string, Out extends string = ""> = S extends `${infer A}${Mark}${infer R}`
  ? Around<R, Mark, `${Out}${A} ${Mark} `>
  : `${Out}${S}`;

type Grouped<
  W extends readonly string[],
  Group extends readonly string[] | null = null,
  Out extends readonly Item[] = [],
> = W extends readonly [infer I extends string, ...infer R extends readonly string[]]
  ? I extends "("
    ? Grouped<R, [], Out>
    : I extends ")"
      ? Grouped<R, null, Group extends readonly string[] ? [...Out, Group] : Out>
      : Group extends readonly string[]
        ? Grouped<R, [...Group, I], Out>
        : Grouped<R, null, [...Out, I]>
  : Out;

/** "b t (h d)" is ["b", "t", ["h", "d"]]. */
export type Items<S extends string> = Grouped<Words<Around<Around<S, "(">, ")">>>;

/** Every name of a term in order, sizes and "..." left out. */
export type Names<I extends readonly Item[], Out extends readonly string[] = []> = I extends readonly [
  infer A,
  ...infer R extends readonly Item[],
]
  ? A extends readonly string[]
    ? Names<[...A, ...R], Out>
    : A extends string
      ? A extends "..." | `${number}`
        ? Names<R, Out>
        : Names<R, [...Out, A]>
      : Out
  : Out;

/** The first name that is not among `Known`; `null` when all are. */
export type FirstMissing<N extends readonly string[], Known extends string> = N extends readonly [
  infer A extends string,
  ...infer R extends readonly string[],
]
  ? A extends Known
    ? FirstMissing<R, Known>
    : A
  : null;

/** The first name that stands twice; `null` when none does. */
export type FirstTwice<N extends readonly string[]> = N extends readonly [
  infer A extends string,
  ...infer R extends readonly string[],
]
  ? A extends R[number]
    ? A
    : FirstTwice<R>
  : null;

/** `A` with `axis` known to be `D`, or why that cannot be. */
export type Bind<A extends Axes, K extends string, D extends Dim> = K extends keyof A
  ? A[K] extends infer Old extends Dim
    ? SameDim<Old, D> extends infer Same
      ? Same extends Dim
        ? { readonly [P in keyof A]: P extends K ? Same : A[P] }
        : `axis ${K} is both ${DimText<Old>} and ${DimText<D>}`
      : never
    : never
  : { readonly [P in keyof A | K]: P extends keyof A ? A[P] : D };

/** The axis's dimension, `number` where it is not known. */
export type Known<A extends Axes, K extends string> = K extends `${infer N extends number}`
  ? N
  : K extends keyof A
    ? A[K] extends Dim
      ? A[K]
      : number
    : number;
