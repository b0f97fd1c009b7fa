/** One dimension: its size when it is known, a name such as "batch", or `number` when neither is known. */
export type Dim = number | string;
/** The dimensions of a tensor. `Shape` itself means that nothing is known of them. */
export type Shape = readonly Dim[];
/** What an element is. float32 may be stored in half precision; that belongs to the storage, not to the type. */
export type DType = "float32" | "int32" | "bool";

/** A dimension asked for: a size, or one with a name, as in `zeros([{ batch: 32 }, 10])`. */
export type Size = number | { readonly [name: string]: number };

// How these types are written decides what an edit costs (bench/types.ts). A known shape is a mutable tuple, and a mutable
// pattern whose rest has the constraint `Rest` takes it apart in 5 us. A readonly pattern, another constraint (an array's is
// there when none is written), `S["length"]`, `S[number]` or a mapped type make the compiler work out the methods of an array
// for each new shape: 100 us. A failure is a sentence, since a string is told from a tuple for nothing.

/** The constraint of a rest: an array where the compiler asks what may be spread, and `any`, which holds, where it is used. */
// biome-ignore lint/suspicious/noExplicitAny: it is the point
export type Rest<S> = S extends never ? never[] : any;

type Dims<S, Out extends unknown[] = []> = S extends [infer A, ...infer R extends Rest<S>]
  ? Dims<R, [...Out, A extends number ? A : Extract<keyof A, string>]>
  : Out;

/** The shape that a list of sizes asks for: `[{ batch: 32 }, 10]` is `["batch", 10]`. */
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

/** A dimension as errors show it. */
export type DimText<D> = D extends string ? D : number extends D ? "?" : D extends number ? `${D}` : "?";

type Joined<S, Out extends string = ""> = S extends [infer A, ...infer R extends Rest<S>]
  ? Joined<R, Out extends "" ? DimText<A> : `${Out}, ${DimText<A>}`>
  : Out;

/** A shape as errors show it: `[batch, 3, 4]`, and `?` for what is not known. */
export type ShapeText<S> = IsUnknown<S> extends true ? "[...]" : `[${Joined<S>}]`;

/**
 * Holds a dimension where it is compared. A dimension that is a type parameter leaves `D extends 3` open until the parameter
 * is known; but a box of one is a box of itself, and whatever is not decided does not count as a difference.
 */
export interface Box<D> {
  readonly held: D;
}

/** Are two dimensions sure to differ? A name and a size may turn out to be the same, so that is left to the run. */
export type Differ<A, B> = Box<A> extends Box<B> ? false : Box<B> extends Box<A> ? false : DifferInKind<A, B>;
type DifferInKind<A, B> = A extends string ? (B extends string ? true : false) : B extends string ? false : true;

/** What two dimensions that must be the same are: the one of which more is known, a name before a size. */
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

/** What two dimensions broadcast to (numpy.org/doc/stable/user/basics.broadcasting.html); `false` when they do not. */
export type BroadcastDim<A, B> = A extends 1 ? B : B extends 1 ? A : SameDim<A, B>;

type BroadcastKnown<A, B, Out extends unknown[] = []> = A extends [...infer AR extends Rest<A>, infer AL]
  ? B extends [...infer BR extends Rest<B>, infer BL]
    ? Box<AL> extends Box<BL>
      ? BroadcastKnown<AR, BR, [Box<BL> extends Box<AL> ? AL : BroadcastDim<AL, BL>, ...Out]>
      : BroadcastDim<AL, BL> extends infer D
        ? D extends false
          ? `${DimText<AL>} is not ${DimText<BL>}`
          : BroadcastKnown<AR, BR, [D, ...Out]>
        : never
    : [...AR, AL, ...Out]
  : B extends [...infer BR extends Rest<B>]
    ? [...BR, ...Out]
    : Out;

/** The shape that two shapes broadcast to, or which two dimensions do not. */
export type TryBroadcast<A, B> =
  IsUnknown<A> extends true ? Shape : IsUnknown<B> extends true ? Shape : BroadcastKnown<A, B>;

/** The shape that two shapes broadcast to. */
export type Broadcast<A, B> = ShapeIn<TryBroadcast<A, B>>;

/** `X` where it is a known shape; else it is not known. */
export type ShapeIn<X> = X extends [...infer S extends Rest<X>] ? S : Shape;

/** `Then`, or an error message where the two shapes do not broadcast. */
export type IfBroadcast<Op extends string, A, B, Then> =
  TryBroadcast<A, B> extends infer R
    ? R extends string
      ? `${Op}: ${ShapeText<A>} and ${ShapeText<B>} do not broadcast: ${R}`
      : Then
    : never;

/** `Then`, or what begins with `Begin` where `R` is a sentence. A shape that is not decided yet is none. */
export type Unless<R, Begin extends string, Then> = [R] extends [string] ? `${Begin}${R & string}` : Then;

type SameKnown<A, B> = A extends [infer AF, ...infer AR extends Rest<A>]
  ? B extends [infer BF, ...infer BR extends Rest<B>]
    ? Differ<AF, BF> extends true
      ? false
      : SameKnown<AR, BR>
    : false
  : B extends [unknown, ...Rest<B>]
    ? false
    : true;

/** `Then`, or an error message where the two shapes differ. */
export type IfSameShape<Op extends string, A, B, Then> =
  IsUnknown<A> extends true
    ? Then
    : IsUnknown<B> extends true
      ? Then
      : SameKnown<A, B> extends false
        ? `${Op}: the shapes ${ShapeText<A>} and ${ShapeText<B>} must be the same; reshape one of them`
        : Then;
