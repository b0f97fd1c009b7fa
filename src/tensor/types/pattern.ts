// The types shared by einsum and einops patterns. ../pattern.ts does the same at run time, with the same messages.

import type { TryBroadcast } from "./broadcast.ts";
import type { Box } from "./generic.ts";
import type { Multiply, Quotient } from "./number.ts";
import type { Differ, DimText, Rest, ShapeText } from "./shape.ts";

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

/** Every name of a term in order, without sizes and "...". */
export type Names<I, Out extends string[] = []> = I extends [infer A, ...infer R extends Rest<I>]
  ? A extends string
    ? Names<R, A extends "..." | `${number}` ? Out : [...Out, A]>
    : A extends [...infer G extends Rest<A>]
      ? Names<[...G, ...R], Out>
      : Out
  : Out;

/** The names of a list as a union. */
export type Union<N, Out = never> = N extends [infer A, ...infer R extends Rest<N>] ? Union<R, Out | A> : Out;

/** The first name that is not among `Known`; `false` if all are. */
export type FirstMissing<N, Known> = N extends [infer A, ...infer R extends Rest<N>]
  ? A extends Known
    ? FirstMissing<R, Known>
    : A
  : false;

/** The first name that appears twice; `false` if none does. */
export type FirstTwice<N, Seen = never> = N extends [infer A, ...infer R extends Rest<N>]
  ? A extends Seen
    ? A
    : FirstTwice<R, Seen | A>
  : false;

// The axes known so far are stored as text, one line each, because searching text is faster than making an object type:
// "\nb=@0\nt=@1\nd=12\n". "@1" is the dimension at index 1 of `Env`, the list of all operands' dimensions. A dimension may be a
// type parameter, which text cannot contain. "12" is a size that was given or computed, "?" an unknown size. The entry of "..."
// has all its dimensions, "@0,@1,", or "*" if these are unknown.

/** No axis is known. */
export type NoAxes = "\n";
/** Whether a step returned axes. Otherwise it returned a message why the pattern failed. */
export type IsAxes<A> = A extends `\n${string}` ? true : false;

/** The indices of a shape's dimensions in `Env`, starting after `Before`. */
export type Places<S, Before extends 0[], Out extends string[] = []> = S extends [infer _, ...infer R extends Rest<S>]
  ? Places<R, [...Before, 0], [...Out, `@${Before["length"]}`]>
  : Out;

/** Looks up an element by its key, which is faster for the compiler than matching the tuple for each axis of a pattern. */
type At<Env, I extends string> = I extends keyof Env ? Env[I] : number;

/** The dimension that a text refers to. */
export type DimOf<T, Env> = T extends `@${infer I}`
  ? At<Env, I>
  : T extends `${infer N extends number}`
    ? N
    : T extends "?"
      ? number
      : T;

/** The dimensions that a list of texts refers to. */
export type DimsOf<T, Env, Out extends unknown[] = []> = T extends [infer D, ...infer R extends Rest<T>]
  ? DimsOf<R, Env, [...Out, DimOf<D, Env>]>
  : Out;

/** `First` or `Second`, according to which of two dimensions is more specific; `false` if they certainly differ. */
type Pick<A, B, First, Second> =
  Box<A> extends Box<B>
    ? First
    : Box<B> extends Box<A>
      ? Second
      : Differ<A, B> extends true
        ? false
        : A extends string
          ? First
          : Second;

/** `A` with the axis `K` bound to the dimension that the text `V` refers to, or an error message. */
export type Bind<
  A extends string,
  K extends string,
  V extends string,
  Env,
> = A extends `${infer Before}\n${K}=${infer Old}\n${infer After}`
  ? Pick<DimOf<Old, Env>, DimOf<V, Env>, A, `${Before}\n${K}=${V}\n${After}`> extends infer Next
    ? Next extends string
      ? Next
      : `axis ${K} is both ${DimText<DimOf<Old, Env>>} and ${DimText<DimOf<V, Env>>}`
    : never
  : `${A}${K}=${V}\n`;

/** The axis's dimension, or `number` if it is unknown. */
export type Known<A extends string, K extends string, Env> = K extends `${infer N extends number}`
  ? N
  : A extends `${string}\n${K}=${infer D}\n${string}`
    ? DimOf<D, Env>
    : number;

type ListText<S, Out extends string = ""> = S extends [infer D extends string, ...infer R extends Rest<S>]
  ? ListText<R, `${Out}${D},`>
  : Out;

type Listed<T extends string, Out extends unknown[] = []> = T extends `${infer D},${infer R}`
  ? Listed<R, [...Out, D]>
  : Out;

/** The dimensions of "..." as texts, `false` if the pattern has no "...", `"*"` if they are unknown. */
export type Dots<A extends string> = A extends `${string}\n...=${infer T}\n${string}`
  ? T extends "*"
    ? "*"
    : Listed<T>
  : false;

/** `A` with the dimensions of "...", a list of texts or "*". */
export type BindDots<A extends string, S> = A extends `${infer Before}\n...=${string}\n${infer After}`
  ? `${Before}\n...=${S extends "*" ? S : ListText<S>}\n${After}`
  : `${A}...=${S extends "*" ? S : ListText<S>}\n`;

/** The broadcast of two lists of texts that are known to broadcast. */
type BroadcastTexts<A, B, Env, Out extends unknown[] = []> = A extends [...infer AR extends Rest<A>, infer AL]
  ? B extends [...infer BR extends Rest<B>, infer BL]
    ? BroadcastTexts<
        AR,
        BR,
        Env,
        [
          Box<DimOf<AL, Env>> extends Box<DimOf<BL, Env>>
            ? DimOf<AL, Env> extends 1
              ? BL
              : AL
            : DimOf<AL, Env> extends 1
              ? BL
              : DimOf<BL, Env> extends 1
                ? AL
                : Pick<DimOf<AL, Env>, DimOf<BL, Env>, AL, BL>,
          ...Out,
        ]
      >
    : [...AR, AL, ...Out]
  : B extends [...infer BR extends Rest<B>]
    ? [...BR, ...Out]
    : Out;

type GroupText<G, Out extends string = ""> = G extends [infer K extends string, ...infer R extends Rest<G>]
  ? GroupText<R, Out extends "" ? K : `${Out} ${K}`>
  : `(${Out})`;

/** The product of the known sizes of a group's members, and the member of unknown size; `false` if several are unknown. */
type SplitGroup<G, A extends string, Env, P = 1, Open = false> = G extends [
  infer K extends string,
  ...infer R extends Rest<G>,
]
  ? IsKnown<A, K> extends true
    ? SplitGroup<R, A, Env, Multiply<P, Known<A, K, Env>>, Open>
    : Open extends false
      ? SplitGroup<R, A, Env, P, K>
      : false
  : [P, Open];

type IsKnown<A extends string, K extends string> = K extends `${number}`
  ? true
  : A extends `${string}\n${K}=${string}`
    ? true
    : false;

type BindGroup<G, V extends string, A extends string, Env> =
  SplitGroup<G, A, Env> extends [infer P, infer Open]
    ? Open extends string
      ? P extends 1
        ? Bind<A, Open, V, Env>
        : Quotient<DimOf<V, Env>, P> extends infer Q
          ? Q extends false
            ? `axis ${GroupText<G>} is ${DimText<DimOf<V, Env>>}, which is not divisible by ${DimText<P>}`
            : Bind<A, Open, DimText<Q>, Env>
          : never
      : Differ<P, DimOf<V, Env>> extends true
        ? `axis ${GroupText<G>} is both ${DimText<P>} and ${DimText<DimOf<V, Env>>}`
        : A
    : `axis ${GroupText<G>} needs the sizes of all but one of its parts`;

type BindItem<I, V extends string, A extends string, Env> = I extends string
  ? I extends `${infer N extends number}`
    ? Differ<N, DimOf<V, Env>> extends true
      ? `axis ${N} is both ${N} and ${DimText<DimOf<V, Env>>}`
      : A
    : Bind<A, I, V, Env>
  : BindGroup<I, V, A, Env>;

/** Binds the axes after "...", from the last. The dimensions of "..." in several operands are broadcast. */
type Back<I, S, A extends string, Env> = I extends [...infer R extends Rest<I>, infer K]
  ? S extends [...infer SR extends Rest<S>, infer V extends string]
    ? BindItem<K, V, A, Env> extends infer Next extends string
      ? IsAxes<Next> extends true
        ? Back<R, SR, Next, Env>
        : Next
      : never
    : false
  : Dots<A> extends infer Old
    ? Old extends "*"
      ? A
      : Old extends false
        ? BindDots<A, S>
        : TryBroadcast<DimsOf<Old, Env>, DimsOf<S, Env>> extends infer B
          ? B extends string
            ? `the axes of \`...\` are both ${ShapeText<DimsOf<Old, Env>>} and ${ShapeText<DimsOf<S, Env>>}`
            : BindDots<A, BroadcastTexts<Old, S, Env>>
          : never
    : never;

/**
 * `A` with the axes of a term bound to `S`, the texts of its dimensions; a message if they disagree; `false` if the ranks
 * differ.
 */
export type Front<I, S, A extends string, Env> = I extends [infer K, ...infer R extends Rest<I>]
  ? K extends "..."
    ? Back<R, S, A, Env>
    : S extends [infer V extends string, ...infer SR extends Rest<S>]
      ? BindItem<K, V, A, Env> extends infer Next extends string
        ? IsAxes<Next> extends true
          ? Front<R, SR, Next, Env>
          : Next
        : never
      : false
  : S extends []
    ? A
    : false;
