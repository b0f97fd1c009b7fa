import { ShapeError } from "./errors.ts";
import type { IsUnknown, Shape, Writable } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** The names of a tensor's axes, `undefined` for an axis without one. */
export type AxisNames = readonly (string | undefined)[];

const axisNames = Symbol.for("halftone.axisNames");
type Labelled = AnyTensor & { [axisNames]?: AxisNames };

/** The names of a tensor's axes: `["batch", undefined]` for `[batch=32, 10]`. Undefined when no axis has a name. */
export const namesOf = (x: AnyTensor): AxisNames | undefined => (x as Labelled)[axisNames];

/** Names the axes of a new tensor. */
export function label<T extends TensorOperand>(x: T, names: AxisNames | undefined): T {
  if (names?.some((name) => name !== undefined)) Object.defineProperty(x, axisNames, { value: names, writable: true });
  return x;
}

export const dimText = (size: number, name?: string): string => (name === undefined ? `${size}` : `${name}=${size}`);

/** `[batch=32, 10]`. */
export const sizesText = (shape: readonly number[], names?: AxisNames): string =>
  `[${shape.map((size, i) => dimText(size, names?.[i])).join(", ")}]`;
export const shapeText = (x: AnyTensor): string => sizesText(x.shape, namesOf(x));

type NamedShape<N> = IsUnknown<N> extends true ? Shape : Writable<N>;

/**
 * Names the axes of a tensor and returns it: `named(x, ["batch", "time", 64])`. A number leaves the axis without a name and must
 * be its size. Ops keep names, displays and errors show them, and they must agree where sizes must.
 *
 * @throws ShapeError for another number of axes, or a number that is not the size of its axis
 */
export function named<T extends TensorOperand, const N extends Shape>(
  x: T,
  names: N,
): Tensor<NamedShape<N>, DTypeOf<T>>;
export function named(x: AnyTensor, names: Shape): AnyTensor {
  if (names.length !== x.shape.length)
    throw new ShapeError(
      `named: expected ${x.shape.length} names for the shape ${shapeText(x)}, got [${names.join(", ")}]`,
    );
  for (const [i, name] of names.entries())
    if (typeof name === "number" && name !== x.shape[i])
      throw new ShapeError(`named: axis ${i} of ${shapeText(x)} does not have size ${name}`);
  return label(
    x,
    names.map((name) => (typeof name === "string" ? name : undefined)),
  ) as never;
}
