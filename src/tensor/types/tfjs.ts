// tfjs' own functions on typed tensors. tfjs declares many results as the type of the argument, which would keep sizes that the
// function changes; each of those has here a declaration that comes before tfjs' own.
import type { Tfjs } from "../../runtime/tfjs/engine.ts";
import type { SameRank } from "./axis.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Concatenated, Permuted, ReshapeTo } from "./layout.ts";
import type { DType, Shape } from "./shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Shapes, Tensor, TensorOperand } from "./tensor.ts";

/** A function of a tensor and more that changes sizes, and not the number of axes. */
type Resizing<F> = F extends (x: infer X, ...rest: infer R) => unknown
  ? <T extends Extract<X, AnyTensor>>(x: T, ...rest: R) => Tensor<SameRank<ShapeOf<T>>, DTypeOf<T>>
  : never;

type Resizers =
  | "avgPool"
  | "avgPool3d"
  | "batchToSpaceND"
  | "bincount"
  | "conv1d"
  | "conv2d"
  | "conv2dTranspose"
  | "conv3d"
  | "conv3dTranspose"
  | "denseBincount"
  | "depthwiseConv2d"
  | "dilation2d"
  | "maxPool"
  | "maxPool3d"
  | "mirrorPad"
  | "pad"
  | "pool"
  | "separableConv2d"
  | "slice"
  | "spaceToBatchND"
  | "tile"
  | "unsortedSegmentSum";
type ImageResizers = "grayscaleToRGB" | "resizeBilinear" | "resizeNearestNeighbor" | "rgbToGrayscale";

type Test = <T extends TensorOperand>(x: T) => Tensor<ShapeOf<T>, "bool">;

interface Changed extends Readonly<{ [K in Resizers]: Resizing<Tfjs[K]> }> {
  readonly image: { readonly [K in ImageResizers]: Resizing<Tfjs["image"][K]> };
  readonly isFinite: Test;
  readonly isInf: Test;
  readonly isNaN: Test;
  cast<T extends TensorOperand, const D extends DType>(x: T, dtype: D): Tensor<ShapeOf<T>, D>;
  concat<const T extends readonly TensorOperand[], const A extends number = 0>(
    tensors: T,
    axis?: A,
  ): Tensor<Concatenated<Shapes<T>, A>, DTypeOf<T[number]>>;
  gather<T extends TensorOperand>(
    x: T,
    indices: AnyTensor | readonly unknown[] | Int32Array,
    axis?: number,
    batchDims?: number,
  ): Tensor<Shape, DTypeOf<T>>;
  reshape<T extends TensorOperand, const N extends readonly number[]>(
    x: T,
    shape: N,
  ): Tensor<ReshapeTo<ShapeOf<T>, N>, DTypeOf<T>>;
  topk<T extends TensorOperand>(
    x: T,
    k?: number,
    sorted?: boolean,
  ): { values: Tensor<SameRank<ShapeOf<T>>, DTypeOf<T>>; indices: Tensor<SameRank<ShapeOf<T>>, "int32"> };
  transpose<T extends TensorOperand, const A extends readonly number[] | undefined = undefined>(
    x: T,
    perm?: A,
    conjugate?: boolean,
  ): Tensor<Permuted<ShapeOf<T>, A>, DTypeOf<T>>;
  unique<T extends TensorOperand>(
    x: T,
    axis?: number,
  ): { values: Tensor<SameRank<ShapeOf<T>>, DTypeOf<T>>; indices: Tensor<[number], "int32"> };
  where<C extends TensorOperand, A extends TensorOperand, B extends TensorOperand>(
    condition: C,
    a: A,
    b: B,
  ): Tensor<Broadcast<Broadcast<ShapeOf<C>, ShapeOf<A>, C>, ShapeOf<B>, C>, DTypeOf<A>>;
}

/** tfjs, where the result of a function on a typed tensor has the sizes that it has, or unknown ones. */
export type TypedTfjs = Changed & Tfjs;
