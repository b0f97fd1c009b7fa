// The shapes that convolutions give, as types.
import type { Differ, DimText, IsUnknown, Shape } from "../../tensor/types/shape.ts";
import type { ShapeRule, Unfit } from "./shape-rule.ts";
import type { Side, TransposedSize, WindowSize } from "./window-shape.ts";

/** `[batch, height, width, in]` to `[batch, height, width, out]`. */
export interface Conv2dShape<In, Out, Kernel, Stride, Pad, Dilation> extends ShapeRule {
  readonly out: Images<"conv2d", this["in"], In> extends infer S
    ? S extends [infer Batch, infer H, infer W, infer _]
      ? [
          Batch,
          WindowSize<H, Side<Kernel, 0>, Side<Stride, 0>, Side<Pad, 0>, Side<Dilation, 0>>,
          WindowSize<W, Side<Kernel, 1>, Side<Stride, 1>, Side<Pad, 1>, Side<Dilation, 1>>,
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
          TransposedSize<H, Side<Kernel, 0>, Side<Stride, 0>, Side<Pad, 0>, Side<Extra, 0>>,
          TransposedSize<W, Side<Kernel, 1>, Side<Stride, 1>, Side<Pad, 1>, Side<Extra, 1>>,
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
