/** One dimension: its size when it is known, a name such as "batch", or `number` when neither is known. */
export type Dim = number | string;
/** The dimensions of a tensor. `Shape` itself means that nothing is known of them. */
export type Shape = readonly Dim[];
/** What an element is. float32 may be stored in half precision; that belongs to the storage, not to the type. */
export type DType = "float32" | "int32" | "bool";

/** A dimension asked for: a size, or one with a name, as in `zeros([{ batch: 32 }, 10])`. */
export type Size = number | { readonly [name: string]: number };

/** The shape that a list of sizes asks for: `[{ batch: 32 }, 10]` is `["batch", 10]`. */
export type ShapeOfSizes<S extends readonly Size[]> = number extends S["length"]
  ? Shape
  : { -readonly [I in keyof S]: S[I] extends number ? S[I] : Extract<keyof S[I], string> };

export type IsUnknown<S extends Shape> = number extends S["length"] ? true : false;

/** A dimension as errors show it. */
export type DimText<D> = D extends string ? D : number extends D ? "?" : D extends number ? `${D}` : "?";

type Joined<S extends Shape, Out extends string = ""> = S extends readonly [infer A, ...infer R extends Shape]
  ? Joined<R, Out extends "" ? DimText<A> : `${Out}, ${DimText<A>}`>
  : Out;

/** A shape as errors show it: `[batch, 3, 4]`, and `?` for what is not known. */
export type ShapeText<S extends Shape> = IsUnknown<S> extends true ? "[...]" : `[${Joined<S>}]`;

/**
 * What two dimensions that must be the same are; `false` when they cannot be. A name and a size may turn out to be the
 * same, so that is left to the run.
 */
export type SameDim<A extends Dim, B extends Dim> = A extends B
  ? B extends string
    ? A
    : number extends A
      ? B
      : A
  : number extends A
    ? B
    : number extends B
      ? A
      : A extends string
        ? B extends string
          ? false
          : A
        : B extends string
          ? B
          : false;

/** What two dimensions broadcast to (numpy.org/doc/stable/user/basics.broadcasting.html); `false` when they do not. */
export type BroadcastDim<A extends Dim, B extends Dim> = A extends 1 ? B : B extends 1 ? A : SameDim<A, B>;

type BroadcastKnown<A extends Shape, B extends Shape, Out extends Shape = []> = A extends readonly [
  ...infer AR extends Shape,
  infer AL extends Dim,
]
  ? B extends readonly [...infer BR extends Shape, infer BL extends Dim]
    ? BroadcastDim<AL, BL> extends infer D extends Dim
      ? BroadcastKnown<AR, BR, [D, ...Out]>
      : { readonly left: AL; readonly right: BL }
    : [...A, ...Out]
  : [...B, ...Out];

/** The shape that two shapes broadcast to, or the two dimensions that do not. */
export type TryBroadcast<A extends Shape, B extends Shape> =
  IsUnknown<A> extends true ? Shape : IsUnknown<B> extends true ? Shape : BroadcastKnown<A, B>;

/** The shape that two shapes broadcast to. */
export type Broadcast<A extends Shape, B extends Shape> = ShapeIn<TryBroadcast<A, B>>;

export type ShapeIn<X> = X extends Shape ? X : Shape;

/** `Then`, or a sentence that says why the two shapes do not broadcast. */
export type IfBroadcast<Op extends string, A extends Shape, B extends Shape, Then> =
  TryBroadcast<A, B> extends { readonly left: infer X; readonly right: infer Y }
    ? `${Op}: ${ShapeText<A>} and ${ShapeText<B>} do not broadcast: ${DimText<X>} is not ${DimText<Y>}`
    : Then;
