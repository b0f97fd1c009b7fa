import type { Box, Evidence, Exact, Resolved, Unresolved } from "./generic.ts";

/** One dimension: its size if that is known, a name such as "batch", or `number` if neither is known. */
export type Dim = number | string;
/** The dimensions of a tensor. `Shape` itself means that they are unknown. */
export type Shape = readonly Dim[];
/** The type of an element. float32 may be stored in half precision; that belongs to the storage, not to the type. */
export type DType = "float32" | "int32" | "bool";

/** A requested dimension: a size, or one with a name, as in `zeros([{ batch: 32 }, 10])`. */
export type Size = number | { readonly [name: string]: number };

// The way in which these types are written determines the time to check an edit (bench/types.ts). A known shape is a mutable tuple, and a mutable
// pattern whose rest has the constraint `Rest` matches it quickly. A readonly pattern, another constraint (by default that of an array),
// `S["length"]`, `S[number]` and mapped types are slow, because the compiler instantiates the methods of an array for each new
// shape. A failure is a string with the message, because distinguishing a string from a tuple has no cost.

/**
 * The constraint of a rest element: an array where the compiler checks that it can be spread, and `any` where it is used.
 */
// biome-ignore lint/suspicious/noExplicitAny: only `any` satisfies every constraint
export type Rest<S> = S extends never ? never[] : any;

type Dims<S, Out extends unknown[] = []> = S extends [infer A, ...infer R extends Rest<S>]
  ? Dims<R, [...Out, A extends number ? A : Extract<keyof A, string>]>
  : Out;

/** The shape given by a list of sizes: `[{ batch: 32 }, 10]` is `["batch", 10]`. */
export type ShapeOfSizes<S> = IsUnknown<S> extends true ? Shape : Dims<Writable<S>>;

/** A known shape as a mutable tuple. */
export type Writable<S> = S extends [...infer _ extends Rest<S>]
  ? S
  : S extends readonly [...infer R extends Rest<S>]
    ? R
    : Shape;

export type IsUnknown<S> = unknown extends S
  ? true
  : S extends [infer _, ...infer _R extends Rest<S>]
    ? false
    : S extends readonly []
      ? false
      : S extends readonly [unknown, ...unknown[]]
        ? false
        : true;

/** A dimension as shown in errors. */
export type DimText<D> = D extends string ? D : number extends D ? "?" : D extends number ? `${D}` : "?";

type Joined<S, Out extends string = ""> = S extends [infer A, ...infer R extends Rest<S>]
  ? Joined<R, Out extends "" ? DimText<A> : `${Out}, ${DimText<A>}`>
  : Out;

/** A shape as shown in errors: `[batch, 3, 4]`, with `?` for an unknown dimension. */
export type ShapeText<S> = IsUnknown<S> extends true ? "[...]" : `[${Joined<S>}]`;

/** Whether two dimensions certainly differ. A name and a size may be equal, so they are compared at run time. */
export type Differ<A, B> = Box<A> extends Box<B> ? false : Box<B> extends Box<A> ? false : DifferInKind<A, B>;
type DifferInKind<A, B> = A extends string ? (B extends string ? true : false) : B extends string ? false : true;

/** The common dimension of two that must be equal: the more specific one, a name before a size. */
export type SameDim<A, B> =
  Box<A> extends Box<B>
    ? A
    : Box<B> extends Box<A>
      ? B
      : DifferInKind<A, B> extends true
        ? false
        : A extends string
          ? A
          : B;

/** `X` if it is a known shape, otherwise the unknown shape. */
export type ShapeIn<X> = X extends [...infer S extends Rest<X>] ? S : Shape;

/** A shape without its last dimension. */
export type AllButLast<S> = S extends [...infer R extends Rest<S>, infer _] ? R : Shape;

/**
 * `Then`, or, if `R` is a message, that message prefixed with `Begin`. An unresolved shape is not a message: the compiler tries
 * one as `any`, which does not extend `never`. The message is inferred, because the compiler works out the constraint of `R` in
 * a template, without end where `R` is recursive.
 */
export type Unless<R, Begin extends string, Then> = [Fit<R>] extends [never] ? Prefixed<Begin, R> : Then;
/** `never` for a message. */
export type Fit<R> = [R] extends [null] ? true : [R] extends [string] ? never : true;
/** The message of `R` after `Begin`; instantiated only where there is one. */
export type Prefixed<Begin extends string, R> = [R] extends [infer M extends string] ? `${Begin}${M}` : never;

/** Two shapes of which the compiler knows only that they are the same, or that B is a scalar's. */
type SameGeneric<A, B> =
  Evidence<Unresolved<A>, Exact<B>> extends Evidence<Resolved<A>, Exact<A> | Exact<[]>> ? true : false;

type SameKnown<A, B> = A extends [infer AF, ...infer AR extends Rest<A>]
  ? B extends [infer BF, ...infer BR extends Rest<B>]
    ? Differ<AF, BF> extends true
      ? false
      : SameKnown<AR, BR>
    : false
  : B extends [unknown, ...Rest<B>]
    ? false
    : true;

/** `Then`, or an error message if the two shapes differ. */
export type IfSameShape<Op extends string, A, B, Then> =
  SameGeneric<A, B> extends true
    ? Then
    : [IsUnknown<A>, IsUnknown<B>] extends [false, false]
      ? [SameKnown<A, B>] extends [false]
        ? `${Op}: the shapes ${ShapeText<A>} and ${ShapeText<B>} must be the same; reshape one of them`
        : Then
      : Then;
