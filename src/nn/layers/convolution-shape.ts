// The shapes that convolutions give, as types.
import type { Differ, DimText, IsUnknown, Shape } from "../../tensor/types/shape.ts";
import type { ShapeRule, Unfit } from "./shape-rule.ts";
import type { TransposedSize, WindowSize } from "./window-shape.ts";

/** Height or width of a pair, or the one number. */
type At<V, I extends 0 | 1> = V extends readonly [infer A, infer B] ? (I extends 0 ? A : B) : V;

/** `[batch, height, width, in]` to `[batch, height, width, out]`. */
export interface Conv2dShape<In, Out, Kernel, Stride, Pad, Dilation> extends ShapeRule {
  readonly out: Images<"conv2d", this["in"], In> extends infer S
    ? S extends [infer Batch, infer H, infer W, infer _]
      ? [
          Batch,
          WindowSize<H, At<Kernel, 0>, At<Stride, 0>, At<Pad, 0>, At<Dilation, 0>>,
          WindowSize<W, At<Kernel, 1>, At<Stride, 1>, At<Pad, 1>, At<Dilation, 1>>,
          Out,
        ]
      : S
    : never;
  readonly takes: In;
  readonly gives: Out;
}

/** `[batch, time, in]` to `[batch, time, out]`. */
export interface Conv1dShape<In, Out, Kernel, Stride, Pad, Dilation> extends ShapeRule {
  readonly out: Sequences<"conv1d", this["in"], In> extends infer S
    ? S extends [infer Batch, infer T, infer _]
      ? [Batch, WindowSize<T, Kernel, Stride, Pad, Dilation>, Out]
      : S
    : never;
  readonly takes: In;
  readonly gives: Out;
}

/** `[batch, height, width, in]` to larger images of `out` channels. */
export interface ConvTranspose2dShape<In, Out, Kernel, Stride, Pad, Extra> extends ShapeRule {
  readonly out: Images<"convTranspose2d", this["in"], In> extends infer S
    ? S extends [infer Batch, infer H, infer W, infer _]
      ? [
          Batch,
          TransposedSize<H, At<Kernel, 0>, At<Stride, 0>, At<Pad, 0>, At<Extra, 0>>,
          TransposedSize<W, At<Kernel, 1>, At<Stride, 1>, At<Pad, 1>, At<Extra, 1>>,
          Out,
        ]
      : S
    : never;
  readonly takes: In;
  readonly gives: Out;
}

/** The shape itself, or a message unless it has four axes and the right number of channels. */
type Images<Name extends string, S, In> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [infer _B, infer _H, infer _W, infer C]
      ? Differ<C, In> extends true
        ? Unfit<Name, `batch, height, width, ${DimText<In>}`, S>
        : S
      : Unfit<Name, `batch, height, width, ${DimText<In>}`, S>;

/** The shape itself, or a message unless it has three axes and the right number of features. */
export type Sequences<Name extends string, S, In> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [infer _B, infer _T, infer C]
      ? Differ<C, In> extends true
        ? Unfit<Name, `batch, time, ${DimText<In>}`, S>
        : S
      : Unfit<Name, `batch, time, ${DimText<In>}`, S>;
