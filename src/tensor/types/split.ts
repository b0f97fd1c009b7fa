// The lists of split and unstack: of as many tensors as the types say, so that a list pattern gives a tensor for each name.
import type { Axis, Place, Reduced, WithDim } from "./axis.ts";
import type { At } from "./layout.ts";
import type { Quotient, Sum } from "./number.ts";
import type { Differ, DType, IsUnknown, Rest, Shape, ShapeIn, ShapeText, Unless, Writable } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** The dimension of an axis, `number` where it is not known. */
type Size<S, A> =
  Place<S, A> extends infer P ? (P extends number ? (number extends P ? number : At<S, P>) : number) : never;

/** Counts of at most two digits are a tuple. */
type Times<N extends number, X> = number extends N
  ? X[]
  : `${N}` extends `${string}-${string}` | `${infer _}${infer _}${infer _}${string}`
    ? X[]
    : Counted<N, X>;
type Counted<N extends number, X, Out extends X[] = []> = Out["length"] extends N ? Out : Counted<N, X, [...Out, X]>;

type ShapesOf<S, A, Sizes, D extends DType, Out extends unknown[] = []> = Sizes extends [
  infer N,
  ...infer R extends Rest<Sizes>,
]
  ? ShapesOf<S, A, R, D, [...Out, Tensor<ShapeIn<WithDim<S, A, N>>, D>]>
  : Out;

/** The parts of `split(x, parts, axis)`. */
export type Parts<S, P, A, D extends DType> = P extends number
  ? Times<P, Tensor<WithDim<S, A, PartSize<Size<S, A>, P>>, D>>
  : IsUnknown<P> extends true
    ? Tensor<WithDim<S, A, number>, D>[]
    : ShapesOf<S, A, Writable<P>, D>;
type PartSize<D, P> = Quotient<D, P> extends infer Q ? (Q extends false ? number : Q) : never;

/** `Then`, or a message where the parts do not fit the axis. */
export type IfSplit<S, P, A extends Axis, Then> = Unless<Misfit<S, P, A>, "split: ", Then>;
type Misfit<S, P, A extends Axis> = P extends number
  ? Quotient<Size<S, A>, P> extends infer Q
    ? Q extends false
      ? `axis ${A} of ${ShapeText<S>} cannot be split into ${P} equal parts`
      : true
    : never
  : IsUnknown<P> extends true
    ? true
    : [Total<Writable<P>>, Size<S, A>] extends [infer Given, infer D]
      ? Differ<Given, D> extends true
        ? `the sizes ${ShapeText<Writable<P>>} do not add up to the size of axis ${A} of ${ShapeText<S>}`
        : true
      : never;
type Total<W, Out = 0> = W extends [infer N, ...infer R extends Rest<W>] ? Total<R, Sum<Out, N>> : Out;

/** The slices of `unstack(x, axis)`. */
export type Slices<S extends Shape, A, D extends DType> =
  Size<S, A> extends infer N ? Times<N extends number ? N : number, Tensor<Reduced<S, A>, D>> : never;
