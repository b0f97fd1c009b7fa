import type * as tf from "@tensorflow/tfjs-core/dist/tensor.js";
import type { Rank } from "@tensorflow/tfjs-core/dist/types.js";
import type { Box, Evidence, Exact, IsArray, NoArray, Resolved, Unresolved } from "./generic.ts";
import type { DType, IsUnknown, Shape, Writable } from "./shape.ts";

declare const shapeOf: unique symbol;
declare const dtypeOf: unique symbol;
declare const exactly: unique symbol;
declare const invariant: unique symbol;

// biome-ignore lint/suspicious/noExplicitAny: what is not known goes both ways without a cast, and only `any` does that
type Anything = any;

/** A shape for assignability: an unknown dimension is assignable to and from every other. */
type Gradual<S> = IsUnknown<S> extends true ? Anything : { [I in keyof S]: number extends S[I] ? Anything : S[I] };

/**
 * Carries the shape and the dtype to where they are inferred, since a `number` of the shape is `any` in `Gradual`. The
 * parameters stand nowhere in it, so that all of these are one type when tensors are compared. The property is required, since
 * without strictNullChecks `unknown` extends a type whose properties are all optional.
 */
interface Exactly<_S, _D> {
  readonly [exactly]: never;
}

/**
 * `unknown` for a shape that is known. For two type parameters it differs, so that the compiler finds `Tensor` invariant here
 * and does not compare all of tfjs' class to find its variance, anew at every edit.
 */
type Invariant<S> = Box<S> extends Box<readonly unknown[]> ? unknown : Exact<S>;

/** The shape and dtype that the compiler knows of a tensor. These properties do not exist at run time. */
export interface Shaped<S = Shape, D = DType> {
  /** Any tensor has it; a type of which all is optional would be compared with all that the other one has. */
  readonly id: number;
  readonly [exactly]?: Exactly<S, D>;
  readonly [shapeOf]?: Gradual<S>;
  readonly [dtypeOf]?: DType extends D ? Anything : D;
  readonly [invariant]?: Invariant<S>;
}

/**
 * tfjs' name of the rank; of a rank that is not known or has no name, `any`, which fits every name. Not distributive, since
 * a shape that is yet to be inferred would have to be worked out for its constraint.
 */
export type RankName<S> = [S] extends [[]]
  ? Rank.R0
  : [S] extends [[Anything]]
    ? Rank.R1
    : [S] extends [[Anything, Anything]]
      ? Rank.R2
      : [S] extends [[Anything, Anything, Anything]]
        ? Rank.R3
        : [S] extends [[Anything, Anything, Anything, Anything]]
          ? Rank.R4
          : [S] extends [[Anything, Anything, Anything, Anything, Anything]]
            ? Rank.R5
            : [S] extends [[Anything, Anything, Anything, Anything, Anything, Anything]]
              ? Rank.R6
              : Anything;

/**
 * What a type parameter for a tensor extends: what any tensor has. It stands in every `Tensor`, since the compiler finds an
 * identical member of an intersection at once, where one rank of tfjs' class beside another makes it compare all of the
 * class (50 ms, anew at every edit).
 */
export interface TensorOperand {
  readonly id: number;
  readonly dataId: object;
  readonly size: number;
  readonly strides: number[];
  readonly isDisposed: boolean;
}

/**
 * A tfjs tensor whose shape and dtype the compiler knows. At run time it is the tfjs tensor itself, so every `tf.`
 * function accepts it where the rank fits. A tfjs tensor is accepted in place of one when its rank is that of the shape,
 * or is not asked for; `named(x, shape)` gives it one. What the library makes of unknown shapes fits every shape.
 *
 * An intersection and not an interface that extends tfjs' class: comparing such interfaces member by member took the
 * compiler 9 ms for each new shape, where this takes 0.2 ms.
 */
export type Tensor<S extends Shape = Shape, D extends DType = DType> = Shaped<S, D> &
  TensorOperand &
  tf.Tensor<RankName<S>>;

/** Any tensor, ours or tfjs' own. */
export type { Tensor as AnyTensor } from "@tensorflow/tfjs-core/dist/tensor.js";
/** A tensor, or a number in place of a scalar tensor. */
export type Operand = tf.Tensor<Rank> | number;
/** What a type parameter for one extends. */
export type NumberOrTensor = TensorOperand | number;

/** The shape of an operand; of a tfjs tensor at most the rank is known; of a `Tensor<S>` with a type parameter, `S`. */
export type ShapeOf<T> = unknown extends T
  ? Shape
  : T extends number
    ? []
    : T extends { readonly [exactly]?: infer E }
      ? unknown extends E
        ? RankOf<T>
        : E extends Exactly<infer S, infer _>
          ? Own<S, T>
          : Shape
      : RankOf<T>;

/** The shapes of a list of tensors. */
export type Shapes<T extends readonly TensorOperand[]> = { [I in keyof T]: ShapeOf<T[I]> };

/** A shape with a type parameter as it is, and a known shape as a mutable tuple. */
type Own<S, T> =
  Evidence<Unresolved<S>, T> extends Evidence<Resolved<S>, NumberOrTensor>
    ? Evidence<IsArray<S>, T> extends Evidence<NoArray<S>, TensorOperand>
      ? S
      : RankOf<T>
    : Writable<S>;

/** The shape of a left operand; of a number that of the right operand, which leaves even a type parameter as it is. */
export type LeftShape<A, B> = unknown extends A ? Shape : A extends number ? ShapeOf<B> : ShapeOf<A>;

type RankOf<T> = T extends { readonly shape: infer N extends number[] } ? (number[] extends N ? Shape : N) : Shape;

/** The dtype of an operand. */
export type DTypeOf<T> = T extends Shaped<infer _, infer D extends DType> ? D : DType;

/** The wider of two dtypes: bool, then int32, then float32. A whole number takes the dtype of the tensor beside it. */
export type WiderDType<A, B> = A extends number
  ? B extends number
    ? DType
    : DTypeOf<B> extends "float32"
      ? "float32"
      : DType
  : B extends number
    ? DTypeOf<A> extends "float32"
      ? "float32"
      : DType
    : "float32" extends DTypeOf<A> | DTypeOf<B>
      ? DType extends DTypeOf<A> | DTypeOf<B>
        ? DType
        : "float32"
      : "int32" extends DTypeOf<A> | DTypeOf<B>
        ? "int32"
        : DType;
