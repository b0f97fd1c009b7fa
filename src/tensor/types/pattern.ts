// What einsum and einops patterns share at the type level. ../pattern.ts does the same at run time, with the same messages.
import type { Multiply, Quotient } from "./number.ts";
import type { Box, Differ, DimText, Rest, ShapeText, TryBroadcast } from "./shape.ts";

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

/** The first name that appears twice; `false` when none does. */
export type FirstTwice<N, Seen = never> = N extends [infer A, ...infer R extends Rest<N>]
  ? A extends Seen
    ? A
    : FirstTwice<R, Seen | A>
  : false;

// The axes that are known so far are a text, one line each, as a text is searched faster than an object type is made:
// "\nb=@0\nt=@1\nd=12\n". "@1" is the dimension at place 1 of `Env`, all dimensions of the operands one after the other: a
// dimension may be a type parameter, which no text can hold. "12" is a size that was given or worked out, "?" one that is not
// known. Of "..." it holds all dimensions, "@0,@1,", or "*" when these are not known.

/** No axis is known. */
export type NoAxes = "\n";
/** What a step gives: axes, or a sentence that says why the pattern failed. */
export type IsAxes<A> = A extends `\n${string}` ? true : false;

/** The places of a shape's dimensions in `Env`, from `Before` on. */
export type Places<S, Before extends 0[], Out extends string[] = []> = S extends [infer _, ...infer R extends Rest<S>]
  ? Places<R, [...Before, 0], [...Out, `@${Before["length"]}`]>
  : Out;

/** By its key, which the compiler finds at once, where taking the tuple apart costs more for each axis of a pattern. */
type At<Env, I extends string> = I extends keyof Env ? Env[I] : number;

/** The dimension that a text stands for. */
export type DimOf<T, Env> = T extends `@${infer I}`
  ? At<Env, I>
  : T extends `${infer N extends number}`
    ? N
    : T extends "?"
      ? number
      : T;

/** The dimensions that a list of texts stands for. */
export type DimsOf<T, Env, Out extends unknown[] = []> = T extends [infer D, ...infer R extends Rest<T>]
  ? DimsOf<R, Env, [...Out, DimOf<D, Env>]>
  : Out;

/** Of two dimensions the one of which more is known, as `First` or `Second`; `false` when they are sure to differ. */
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

/** `A` with `axis` known to be what the text `V` stands for, or why that cannot be. */
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

/** The axis's dimension, `number` where it is not known. */
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

/** What "..." stands for: texts of dimensions, `false` when the pattern has none, `"*"` when they are not known. */
export type Dots<A extends string> = A extends `${string}\n...=${infer T}\n${string}`
  ? T extends "*"
    ? "*"
    : Listed<T>
  : false;

/** `A` with the dimensions of "...", a list of texts or "*". */
export type BindDots<A extends string, S> = A extends `${infer Before}\n...=${string}\n${infer After}`
  ? `${Before}\n...=${S extends "*" ? S : ListText<S>}\n${After}`
  : `${A}...=${S extends "*" ? S : ListText<S>}\n`;

/** What two lists of texts that broadcast give. */
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

/** The product of the members whose size is known, and the one whose size is not; `false` when there are more of these. */
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

/** The axes after "...", from the last; what "..." stands for in several operands is broadcast. */
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

/** `A` with the axes of a term, `S` the texts of its dimensions; a sentence when they disagree; `false` when the ranks do. */
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
