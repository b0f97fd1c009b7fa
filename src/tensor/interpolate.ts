// Signals and images made larger or smaller.

import { engine, isNative, tf } from "../runtime/index.ts";
import { float64, storageOf } from "../storage/index.ts";
import { cast, checkTensor, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { inFloat32 } from "./half.ts";
import { gatherAt } from "./indices.ts";
import { label, namesOf, shapeText } from "./names.ts";
import type { Dim, IsUnknown, Shape } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** How `interpolate` finds values in between: `"linear"` is for signals, `"bilinear"` for images. */
export type InterpolationMode = "nearest" | "linear" | "bilinear";

/** Options of `interpolate`; `size` or `scaleFactor` is given. */
export interface InterpolateOptions<N = number | readonly number[]> {
  /** The new size of the inner axes: one for all, or one for each. */
  size?: N;
  /** By what the sizes are multiplied. */
  scaleFactor?: number;
  /** "nearest" by default. */
  mode?: InterpolationMode;
  /** The corner elements stay at the corners. False by default: the edges of the outer elements do. */
  alignCorners?: boolean;
}

// Without strictNullChecks `undefined` extends all, so that it stands first.
type One<N, I extends number> = [N] extends [undefined]
  ? number
  : N extends number
    ? N
    : N extends readonly number[]
      ? Extract<N[I], number>
      : number;
type Interpolated<S, N> =
  IsUnknown<S> extends true
    ? Shape
    : S extends [infer B extends Dim, infer _T, infer C extends Dim]
      ? [B, One<N, 0>, C]
      : S extends [infer B extends Dim, infer _H, infer _W, infer C extends Dim]
        ? [B, One<N, 0>, One<N, 1>, C]
        : Shape;

/**
 * Signals or images of another size: `[batch, time, channels]` gives `[batch, size, channels]`, `[batch, height, width, channels]` gives
 * `[batch, ...size, channels]`, in float32 (`torch.nn.functional.interpolate`, whose channels come first). The mode is "nearest" by default, "linear" or
 * "bilinear".
 *
 * @throws ShapeError for another number of axes; RangeError for a size that is not a positive integer, for both or none of `size` and `scaleFactor`, or a
 *   mode that does not fit
 */
export function interpolate<
  X extends TensorOperand,
  const N extends number | readonly number[] | undefined = undefined,
>(x: X, options: InterpolateOptions<N>): Tensor<Interpolated<ShapeOf<X>, N>, "float32">;
export function interpolate(
  x: AnyTensor,
  { size, scaleFactor, mode = "nearest", alignCorners = false }: InterpolateOptions,
): AnyTensor {
  checkTensor("interpolate", x);
  if (x.rank !== 3 && x.rank !== 4)
    throw new ShapeError(
      `interpolate: expected [batch, time, channels] or [batch, height, width, channels], got ${shapeText(x)}`,
    );
  const inner = x.rank - 2;
  const linear = inner === 1 ? "linear" : "bilinear";
  if (mode !== "nearest" && mode !== linear)
    throw new RangeError(
      `interpolate: the mode of ${inner} inner axes must be "nearest" or "${linear}", got "${mode}"`,
    );
  if (alignCorners && mode === "nearest")
    throw new RangeError(`interpolate: alignCorners needs the mode "${linear}", got "nearest"`);
  const sizes = newSizes(x, size, scaleFactor);
  const result = inFloat32("interpolate", "unlisted", [x], (given) =>
    scoped("interpolate", () => {
      const input = cast(given, "float32");
      const value = sizes.reduce((y, length, i) => {
        const from = y.shape[i + 1]!;
        const step = scaleFactor === undefined ? from / length : 1 / scaleFactor;
        return mode === "nearest"
          ? gatherAt("interpolate", y, integers(nearest(from, length, step)), i + 1)
          : blended(y, i + 1, places(from, length, step, alignCorners));
      }, input);
      return value === given ? run("Identity", { x: value }) : value;
    }),
  );
  return label(result, namesOf(x));
}

function newSizes(x: AnyTensor, size: InterpolateOptions["size"], scaleFactor: number | undefined): number[] {
  if ((size === undefined) === (scaleFactor === undefined))
    throw new RangeError(`interpolate: give either size or scaleFactor, got ${size} and ${scaleFactor}`);
  const inner = x.shape.slice(1, -1);
  const sizes =
    size === undefined
      ? inner.map((length) => Math.floor(length * scaleFactor!))
      : typeof size === "number"
        ? inner.map(() => size)
        : [...size];
  if (sizes.length !== inner.length || sizes.some((length) => !Number.isInteger(length) || length < 1))
    throw new RangeError(
      `interpolate: the inner axes of ${shapeText(x)} need ${inner.length} positive integers, got [${sizes.join(", ")}]`,
    );
  return sizes;
}

const integers = (values: readonly number[]): AnyTensor => tf.tensor1d([...values], "int32");

/** As PyTorch, by a step of float32. */
const nearest = (from: number, length: number, step: number): number[] =>
  Array.from({ length }, (_, i) => Math.min(from - 1, Math.floor(Math.fround(i * Math.fround(step)))));

interface Places {
  lower: number[];
  upper: number[];
  /** Of the upper one. */
  weights: number[];
}

function places(from: number, length: number, step: number, alignCorners: boolean): Places {
  const cornerStep = length > 1 ? (from - 1) / (length - 1) : 0;
  const at = Array.from({ length }, (_, i) => (alignCorners ? i * cornerStep : Math.max(0, step * (i + 0.5) - 0.5)));
  const lower = at.map((place) => Math.min(from - 1, Math.floor(place)));
  return {
    lower,
    upper: lower.map((place) => Math.min(from - 1, place + 1)),
    weights: at.map((place, i) => Math.min(1, Math.max(0, place - lower[i]!))),
  };
}

function blended(x: AnyTensor, axis: number, { lower, upper, weights }: Places): AnyTensor {
  const shape = x.shape.map((_, i) => (i === axis ? lower.length : 1));
  const factor = (values: number[]): AnyTensor =>
    isNative() && storageOf(x) === "float64"
      ? float64(values, shape)
      : (engine.makeTensor(Float32Array.from(values), shape, "float32") as AnyTensor);
  const part = (at: number[], values: number[]) =>
    run("Multiply", { a: gatherAt("interpolate", x, integers(at), axis), b: factor(values) });
  return run("Add", {
    a: part(
      lower,
      weights.map((weight) => 1 - weight),
    ),
    b: part(upper, weights),
  });
}
