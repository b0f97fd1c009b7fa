// Sizes of what a window that moves over an image gives, as types. Those that need rounding are `number`.
import type { Difference, Multiply, Quotient, Sum } from "../../tensor/types/number.ts";

/** Padding of a convolution or pool: "same" keeps the size (divided by the stride, rounded up), a number is that of each side. */
export type Padding = "same" | "valid" | number | readonly [number, number];

/** Height or width of a pair, or the one number. */
export type Side<V, I extends 0 | 1> = V extends readonly [infer A, infer B] ? (I extends 0 ? A : B) : V;

/** The size along one axis. */
export type WindowSize<Size, Kernel, Stride, Pad, Dilation = 1> = Pad extends "same"
  ? Stride extends 1
    ? Size
    : Exactly<Quotient<Size, Stride>>
  : Dilation extends 1
    ? Kernel extends number
      ? Stride extends number
        ? Steps<Difference<Sum<Size, Both<Pad>>, Kernel>, Stride>
        : number
      : number
    : number;

/** The size along one axis of the transposed convolution. */
export type TransposedSize<Size, Kernel, Stride, Pad, Extra> = Kernel extends number
  ? Stride extends number
    ? Pad extends "same"
      ? Multiply<Size, Stride>
      : Difference<Sum<Sum<Multiply<Difference<Size, 1>, Stride>, Kernel>, Extra>, Both<Pad>>
    : number
  : number;

type Both<Pad> = Pad extends "valid" ? 0 : Pad extends number ? Sum<Pad, Pad> : number;
type Steps<Room, Stride> = Quotient<Room, Stride> extends infer N ? (N extends number ? Sum<N, 1> : number) : never;
type Exactly<N> = N extends number ? N : number;
