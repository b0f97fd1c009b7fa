// tfjs' own functions and methods, with results whose sizes are right or unknown.
import type {} from "@tensorflow/tfjs-core/dist/tensor.js";
import { tf as untyped } from "../runtime/index.ts";
import type { SameRank } from "./types/axis.ts";
import type { DType, Shape } from "./types/shape.ts";
import type { DTypeOf, ShapeOf, TensorOperand, Tensor as Typed } from "./types/tensor.ts";
import type { TypedTfjs } from "./types/tfjs.ts";

/**
 * All of tfjs and tfjs-node, on the backend that `runtimeInfo()` names. A function that changes sizes gives unknown ones, or those
 * that it has: `tf.transpose` of `[2, 3]` gives `[3, 2]`, `tf.pad` gives `[number, number]`.
 */
export const tf: TypedTfjs = untyped as TypedTfjs;

type AxisNumbers = number | number[];

// The compiler tries these before the declarations of tfjs, in which the result has the type of the tensor.
declare module "@tensorflow/tfjs-core/dist/tensor.js" {
  interface Tensor {
    all(this: TensorOperand, axis?: AxisNumbers, keepDims?: boolean): Typed<Shape, "bool">;
    any(this: TensorOperand, axis?: AxisNumbers, keepDims?: boolean): Typed<Shape, "bool">;
    asType<T extends TensorOperand, const D extends DType>(this: T, dtype: D): Typed<ShapeOf<T>, D>;
    concat(this: TensorOperand, tensors: TensorOperand | TensorOperand[], axis?: number): Typed;
    gather<T extends TensorOperand>(
      this: T,
      indices: TensorOperand | number[],
      axis?: number,
      batchDims?: number,
    ): Typed<Shape, DTypeOf<T>>;
    isFinite<T extends TensorOperand>(this: T): Typed<ShapeOf<T>, "bool">;
    isInf<T extends TensorOperand>(this: T): Typed<ShapeOf<T>, "bool">;
    isNaN<T extends TensorOperand>(this: T): Typed<ShapeOf<T>, "bool">;
    logSumExp(this: TensorOperand, axis?: AxisNumbers, keepDims?: boolean): Typed<Shape, "float32">;
    prod(this: TensorOperand, axis?: AxisNumbers, keepDims?: boolean): Typed;
    slice<T extends TensorOperand>(
      this: T,
      begin: number | number[],
      size?: number | number[],
    ): Typed<SameRank<ShapeOf<T>>, DTypeOf<T>>;
    toBool<T extends TensorOperand>(this: T): Typed<ShapeOf<T>, "bool">;
    toFloat<T extends TensorOperand>(this: T): Typed<ShapeOf<T>, "float32">;
    toInt<T extends TensorOperand>(this: T): Typed<ShapeOf<T>, "int32">;
    topk<T extends TensorOperand>(
      this: T,
      k?: number,
      sorted?: boolean,
    ): { values: Typed<SameRank<ShapeOf<T>>, DTypeOf<T>>; indices: Typed<SameRank<ShapeOf<T>>, "int32"> };
    unique<T extends TensorOperand>(
      this: T,
      axis?: number,
    ): { values: Typed<SameRank<ShapeOf<T>>, DTypeOf<T>>; indices: Typed<[number], "int32"> };
    unsortedSegmentSum<T extends TensorOperand>(
      this: T,
      segmentIds: TensorOperand | number[],
      numSegments: number,
    ): Typed<SameRank<ShapeOf<T>>, DTypeOf<T>>;
  }
}
