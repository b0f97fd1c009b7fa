// Fourier transforms along an axis. A complex tensor is its real and imaginary parts, since DType has no complex numbers.
import { sizeOf } from "../../base/shape.ts";
import { tf } from "../../runtime/index.ts";
import { axisIndex } from "../axes.ts";
import { cast, checkTensor, filledLike, permuteTo, reshapeTo, run, sameShape, scalarOf, scoped } from "../engine.ts";
import { ShapeError } from "../errors.ts";
import { inFloat32 } from "../half.ts";
import { gatherAt, lastPlace } from "../indices.ts";
import { stack } from "../join.ts";
import { label, namesOf, shapeText } from "../names.ts";
import type { Axis, AxisOf, WithDim } from "../types/axis.ts";
import type { Shape } from "../types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../types/tensor.ts";
import { transform } from "./transform.ts";

/** A complex tensor of any shape, as its real and its imaginary parts. */
export interface Complex<S extends Shape = Shape> {
  real: Tensor<S, "float32">;
  imag: Tensor<S, "float32">;
}

type Parts = { readonly real: TensorOperand; readonly imag: TensorOperand };
type PartsShape<X> = X extends { readonly real: infer R } ? ShapeOf<R> : ShapeOf<X>;

/** What the transform is divided by: "backward", the inverse by n, is the default; "forward", the forward one by n; "ortho", each by the root of n. */
export type FourierNorm = "backward" | "forward" | "ortho";

/** Options of the Fourier transforms. */
export interface FourierOptions<A = Axis, N = number> {
  /** The axis, the last by default. */
  axis?: A;
  /** The length of the signal: it is cut, or zeros follow. The size of the axis by default. */
  n?: N;
  norm?: FourierNorm;
}

type Sized<S, A, N> = N extends undefined ? S : WithDim<S, A, N>;
type ShapeOnly<S> = S extends Shape ? S : Shape;
interface Given {
  axis?: Axis;
  n?: number;
  norm?: FourierNorm;
}

/**
 * The discrete Fourier transform of a real tensor, or of a complex one as `{ real, imag }`, along an axis: `[..., n]` gives `real` and `imag` of `[..., n]`,
 * in float32 (`torch.fft.fft`).
 *
 * @throws ShapeError for an unknown axis, or parts of different shapes; RangeError for a length that is not an integer of at least 1
 */
export function fft<
  X extends TensorOperand | Parts,
  const A extends Axis = -1,
  const N extends number | undefined = undefined,
>(x: X, options?: FourierOptions<AxisOf<"fft", PartsShape<X>, A>, N>): Complex<ShapeOnly<Sized<PartsShape<X>, A, N>>>;
export function fft(x: AnyTensor | Complex, options: Given = {}): Complex {
  return complexOf("fft", x, options, false);
}

/**
 * The inverse of `fft`: of a complex tensor as `{ real, imag }`, or a real one, `[..., n]` gives `real` and `imag` of `[..., n]`, in float32
 * (`torch.fft.ifft`).
 *
 * @throws ShapeError for an unknown axis, or parts of different shapes; RangeError for a length that is not an integer of at least 1
 */
export function ifft<
  X extends TensorOperand | Parts,
  const A extends Axis = -1,
  const N extends number | undefined = undefined,
>(x: X, options?: FourierOptions<AxisOf<"ifft", PartsShape<X>, A>, N>): Complex<ShapeOnly<Sized<PartsShape<X>, A, N>>>;
export function ifft(x: AnyTensor | Complex, options: Given = {}): Complex {
  return complexOf("ifft", x, options, true);
}

/**
 * The half of the discrete Fourier transform of a real tensor that determines the rest: `[..., n]` gives `real` and `imag` of `[..., floor(n / 2) + 1]`, in
 * float32 (`torch.fft.rfft`).
 *
 * @throws ShapeError for an unknown axis; RangeError for a length that is not an integer of at least 1
 */
export function rfft<X extends TensorOperand, const A extends Axis = -1>(
  x: X,
  options?: FourierOptions<AxisOf<"rfft", ShapeOf<X>, A>>,
): Complex<ShapeOnly<WithDim<ShapeOf<X>, A, number>>>;
export function rfft(x: AnyTensor, options: Given = {}): Complex {
  checkTensor("rfft", x);
  return fourier("rfft", x, options, (rows, n) => {
    const whole = scaled(transform(resized(rows, n), false), n, options.norm, false);
    return resized(whole, Math.floor(n / 2) + 1);
  });
}

/**
 * The inverse of `rfft`, a real tensor: of a half `[..., m]` as `{ real, imag }` it gives `[..., n]`, with n of 2 (m - 1) by default, in float32
 * (`torch.fft.irfft`). The imaginary part of the first number, and of the last for an even n, is not read.
 *
 * @throws ShapeError for an unknown axis, or parts of different shapes; RangeError for a length that is not an integer of at least 1
 */
export function irfft<
  X extends TensorOperand | Parts,
  const A extends Axis = -1,
  const N extends number | undefined = undefined,
>(
  x: X,
  options?: FourierOptions<AxisOf<"irfft", PartsShape<X>, A>, N>,
): Tensor<ShapeOnly<WithDim<PartsShape<X>, A, N extends undefined ? number : N>>, "float32">;
export function irfft(x: AnyTensor | Complex, options: Given = {}): AnyTensor {
  const first = "real" in x ? (x.real as AnyTensor) : x;
  checkTensor("irfft", first);
  const place = axisIndex("irfft", first, options.axis ?? -1);
  const length = options.n ?? 2 * (first.shape[place]! - 1);
  const { real, imag } = fourier("irfft", x, { ...options, n: length }, (rows, n) => {
    const half = Math.floor(n / 2) + 1;
    const places = Int32Array.from({ length: n }, (_, k) => (k < half ? k : n - k));
    const whole = gatherAt("irfft", resized(rows, half), tf.tensor1d(places, "int32"), 2);
    // Of the second half the conjugate.
    const signs = tf.tensor3d([...Array<number>(n).fill(1), ...places.map((k, i) => (k === i ? 1 : -1))], [2, 1, n]);
    return scaled(transform(run("Multiply", { a: whole, b: signs }), true), n, options.norm, true);
  }) as { real: AnyTensor; imag: AnyTensor };
  imag.dispose();
  return real;
}

const complexOf = (op: string, x: AnyTensor | Complex, options: Given, isInverse: boolean): Complex =>
  fourier(op, x, options, (rows, n) => scaled(transform(resized(rows, n), isInverse), n, options.norm, isInverse));

/** Runs `f` on the parts as rows, [2, rows, size], along the axis. */
function fourier(
  op: string,
  x: AnyTensor | Complex,
  { axis = -1, n }: Given,
  f: (rows: AnyTensor, n: number) => AnyTensor,
): Complex {
  const [real, imag] = "real" in x ? [x.real as AnyTensor, x.imag as AnyTensor] : [x, undefined];
  checkTensor(op, real);
  if (imag) {
    checkTensor(op, imag);
    if (!sameShape(imag.shape, real.shape))
      throw new ShapeError(
        `${op}: the real part ${shapeText(real)} and the imaginary part ${shapeText(imag)} differ in shape`,
      );
  }
  const place = axisIndex(op, real, axis);
  const length = n ?? real.shape[place]!;
  if (!Number.isInteger(length) || length < 1)
    throw new RangeError(`${op}: the length must be an integer of at least 1, got ${length}`);
  const { last, back } = lastPlace(real.rank, place);
  const compute = (...given: AnyTensor[]) =>
    scoped(op, () => {
      const parts = given.map((part) => permuteTo(cast(part, "float32"), last));
      const both = stack([parts[0]!, parts[1] ?? run("ZerosLike", { x: parts[0]! })]) as AnyTensor;
      const outer = both.shape.slice(1, -1);
      const rows = reshapeTo(both, [2, sizeOf(outer), both.shape.at(-1)!]);
      if (rows.size === 0 && sizeOf(outer) === 0)
        return filledLike(rows, [2, ...outer, f(tf.zeros([2, 1, length]), length).shape[2]!], 0);
      const result = f(rows, length);
      return reshapeTo(result, [2, ...outer, result.shape[2]!]);
    });
  const both = inFloat32(op, "float32", imag ? [real, imag] : [real], compute);
  const part = (at: number) =>
    scoped(op, () => {
      const begin = both.shape.map((_, i) => (i === 0 ? at : 0));
      const found = run("Slice", { x: both }, { begin, size: both.shape.with(0, 1) });
      return permuteTo(reshapeTo(found, both.shape.slice(1)), back);
    });
  const result = { real: label(part(0), namesOf(real)), imag: label(part(1), namesOf(real)) };
  both.dispose();
  return result as unknown as Complex;
}

/** The last axis cut, or with zeros after it. */
function resized(x: AnyTensor, size: number): AnyTensor {
  const own = x.shape[2]!;
  if (size < own) return run("Slice", { x }, { begin: [0, 0, 0], size: [2, x.shape[1]!, size] });
  if (size === own) return x;
  const zeros = tf.zeros([2, x.shape[1]!, size - own]);
  return run("Concat", [x, zeros] as unknown as Record<string, AnyTensor>, { axis: 2 });
}

function scaled(x: AnyTensor, n: number, norm: FourierNorm = "backward", isInverse: boolean): AnyTensor {
  const isDivided = norm === "ortho" || (norm === "backward") === isInverse;
  if (!isDivided) return x;
  return run("RealDiv", { a: x, b: scalarOf(norm === "ortho" ? Math.sqrt(n) : n, "float32") });
}
