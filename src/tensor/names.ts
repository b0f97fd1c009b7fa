import { ShapeError } from "./errors.ts";
import type { IsUnknown, Shape, Writable } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** The names of a tensor's axes, `undefined` for an axis without one. */
export type AxisNames = readonly (string | undefined)[];

const axisNames = Symbol.for("halftone.axisNames");
type Labelled = AnyTensor & { [axisNames]?: AxisNames };

/** The names of the axes; `undefined` when none has one. */
export const namesOf = (x: AnyTensor): AxisNames | undefined => (x as Labelled)[axisNames];

/** Gives the tensor these names, the tensor being new. */
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
 * Names the axes of a tensor, which is returned: `named(x, ["batch", "time", 64])`. A number must be the size of its
 * axis. Names are carried by the operations, shown in displays and errors, and must agree where shapes must.
 */
export function named<T extends TensorOperand, const N extends Shape>(
  x: T,
  names: N,
): Tensor<NamedShape<N>, DTypeOf<T>>;
export function named(x: AnyTensor, names: Shape): AnyTensor {
  if (names.length !== x.shape.length)
    throw new ShapeError(`named: ${names.length} names [${names.join(", ")}] for the shape ${shapeText(x)}`);
  for (const [i, name] of names.entries())
    if (typeof name === "number" && name !== x.shape[i])
      throw new ShapeError(`named: axis ${i} of ${shapeText(x)} is not ${name}`);
  return label(
    x,
    names.map((name) => (typeof name === "string" ? name : undefined)),
  ) as never;
}
