// The shapes of what `vmap` takes and gives.
import type { Stacked } from "../types/layout.ts";
import type { IsUnknown, Rest, Shape } from "../types/shape.ts";
import type { DTypeOf, ShapeOf, Tensor, TensorOperand } from "../types/tensor.ts";

/** The axis of a member of a tree. */
type AxisAt<A, K> = A extends number | null ? A : K extends keyof A ? A[K] : number;

/** A tree of tensors with a mapped axis of size `B` at the given axes; null leaves a tensor unchanged. */
export type WithMapped<T, A, B> = T extends TensorOperand
  ? A extends null
    ? T
    : Tensor<Stacked<ShapeOf<T>, A, B>, DTypeOf<T>>
  : T extends readonly unknown[] | object
    ? { [K in keyof T]: WithMapped<T[K], AxisAt<A, K>, B> }
    : T;

type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never;

/** Whether an axis was inferred with two sizes or two names. */
type Unequal<B> = true extends IsUnion<Extract<B, number>> | IsUnion<Extract<B, string>> ? true : false;

/** The arguments of a vmapped function; a sentence in place of each where the mapped axes have different sizes. */
export type MappedArguments<Args, A, B> =
  Unequal<B> extends true
    ? { [K in keyof Args]: `vmap: the mapped axes have different sizes: ${Extract<B, number | string>}` }
    : WithMapped<Args, A, B>;

type Joined<A, B> =
  IsUnknown<A> extends true
    ? Shape
    : IsUnknown<B> extends true
      ? Shape
      : A extends [...infer X extends Rest<A>]
        ? B extends [...infer Y extends Rest<B>]
          ? [...X, ...Y]
          : Shape
        : Shape;

/** For each tensor of `R`, in its structure, the derivatives by each tensor of `P`, in that one's structure. */
export type Jacobian<R, P> = R extends TensorOperand
  ? JacobianOf<ShapeOf<R>, P>
  : R extends readonly unknown[] | object
    ? { -readonly [K in keyof R]: Jacobian<R[K], P> }
    : R;

type JacobianOf<S, P> = P extends TensorOperand
  ? Tensor<Joined<S, ShapeOf<P>>, "float32">
  : P extends readonly unknown[] | object
    ? { -readonly [K in keyof P]: JacobianOf<S, P[K]> }
    : P;
