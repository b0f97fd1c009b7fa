import type * as tf from "@tensorflow/tfjs-core/dist/tensor.js";
import type { Rank } from "@tensorflow/tfjs-core/dist/types.js";
import type { DType, IsUnknown, Shape, Writable } from "./shape.ts";

declare const shapeOf: unique symbol;
declare const dtypeOf: unique symbol;

// biome-ignore lint/suspicious/noExplicitAny: what is not known goes both ways without a cast, and only `any` does that
type Anything = any;

/** A shape for assignability: what is not known fits everything and everything fits it. */
type Gradual<S> = IsUnknown<S> extends true ? Anything : { [I in keyof S]: number extends S[I] ? Anything : S[I] };

/** What the compiler knows of a tensor. Nothing of it is there at run time. */
export interface Shaped<S = Shape, D = DType> {
  /** Any tensor has it; a type of which all is optional would be compared with all that the other one has. */
  readonly id: number;
  readonly [shapeOf]?: Gradual<S>;
  readonly [dtypeOf]?: DType extends D ? Anything : D;
}

/**
 * A tfjs tensor whose shape and dtype the compiler knows. At run time it is the tfjs tensor itself, so every `tf.`
 * function accepts it, and any tfjs tensor may stand where one is wanted (its shape is then not known).
 *
 * An intersection and not an interface that extends tfjs' class: comparing such interfaces member by member took the
 * compiler 9 ms for each new shape, where this takes 0.2 ms. `Rank` is written out here and below, as a type argument left to
 * its default within an alias makes another type each time, which is then compared member by member.
 */
export type Tensor<S extends Shape = Shape, D extends DType = DType> = Shaped<S, D> & tf.Tensor<Rank>;

/** Any tensor, ours or tfjs' own. */
export type { Tensor as AnyTensor } from "@tensorflow/tfjs-core/dist/tensor.js";
/**
 * What a type parameter for a tensor extends. A union, because the compiler compares what it infers with a class member by
 * member (with a `this` of its own), which took 12 ms, but with the members of a union by identity.
 */
export type TensorOperand = tf.Tensor<Rank> | Tensor;
/** A tensor or a number that stands for a scalar one. */
export type Operand = tf.Tensor<Rank> | number;

/** The shape of an operand; of a tfjs tensor at most the rank is known. */
export type ShapeOf<T> = unknown extends T
  ? Shape
  : T extends number
    ? []
    : T extends Shaped<infer S, infer _>
      ? IsUnknown<S> extends true
        ? RankOf<T>
        : Writable<S>
      : RankOf<T>;

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
