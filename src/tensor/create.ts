// Creates tensors from arrays and values, and arrays from tensors.
import { sizeOf } from "../base/shape.ts";
import { engine, tf } from "../runtime/index.ts";
import { checkTensor } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { int32Of, int32Values } from "./int32.ts";
import { readSizes } from "./layout.ts";
import { label, namesOf, shapeText, sizesText } from "./names.ts";
import type { DType, Shape, ShapeOfSizes, Size } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

type Nested = number | boolean | readonly Nested[];
/** Arrays of numbers that become a tensor of one axis. */
export type Typed =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Int16Array
  | Uint16Array;

/** Of values that are not known, or that are arrays and numbers mixed, the shape is not known. */
type NestedShape<V, Out extends Shape = []> = unknown extends V
  ? Shape
  : V extends readonly (infer E)[]
    ? V extends readonly []
      ? [...Out, 0]
      : [E] extends [readonly unknown[]]
        ? NestedShape<E, [...Out, V["length"]]>
        : [unknown extends E ? E : Extract<E, readonly unknown[]>] extends [never]
          ? [...Out, V["length"]]
          : Shape
    : Out;
type ValuesShape<V> = unknown extends V ? Shape : V extends Typed ? [number] : NestedShape<V>;
type Leaf<V> = unknown extends V ? unknown : V extends readonly (infer E)[] ? Leaf<E> : V;
type ValuesDType<V> = unknown extends V
  ? DType
  : V extends Int32Array | Uint8Array | Uint8ClampedArray | Int8Array | Int16Array | Uint16Array
    ? "int32"
    : V extends Typed
      ? "float32"
      : [Leaf<V>] extends [never]
        ? "float32"
        : unknown extends Leaf<V>
          ? DType
          : Leaf<V> extends boolean
            ? "bool"
            : "float32";

/** A dtype, or options with it as those of `tensor`. */
type DTypeOption = DType | { dtype?: DType };

const dtypeOf = (given: DTypeOption = {}): DType => (typeof given === "string" ? given : (given.dtype ?? "float32"));

export interface TensorOptions {
  dtype?: DType;
  /** The shape of a flat array. */
  shape?: readonly Size[];
}

/**
 * A tensor from a number, nested arrays or a typed array, in their shape (`[2, 3]` for 2 arrays of 3 numbers). A flat array may
 * get its shape from `options.shape`. By default numbers are float32, booleans bool, and integer typed arrays int32; int32
 * drops fractions.
 *
 * @throws ShapeError for ragged arrays, or a shape of another size; TypeError for an element that is not a number or boolean;
 *   RangeError for a number outside int32
 */
export function tensor<
  const V extends number | boolean | readonly unknown[] | Typed,
  const D extends DType | undefined = undefined,
  const S extends readonly Size[] | undefined = undefined,
>(
  values: V,
  options?: { dtype?: D; shape?: S },
): Tensor<
  S extends undefined ? ValuesShape<V> : S extends readonly Size[] ? ShapeOfSizes<S> : Shape,
  D extends undefined ? ValuesDType<V> : D extends DType ? D : DType
>;
export function tensor(values: Nested | Typed, options: TensorOptions = {}): AnyTensor {
  const flat = ArrayBuffer.isView(values)
    ? { data: values as Typed, shape: [values.length] }
    : flatten(values as Nested);
  const wanted = options.shape && readSizes("tensor", options.shape);
  const shape = wanted?.shape ?? flat.shape;
  if (sizeOf(shape) !== flat.data.length)
    throw new ShapeError(
      `tensor: ${flat.data.length} values do not match the shape ${sizesText(shape, wanted?.names)}`,
    );
  const dtype = options.dtype ?? inferred(flat.data);
  return label(engine.makeTensor(stored(flat.data, dtype, shape), shape, dtype) as AnyTensor, wanted?.names);
}

type Flat = { data: Typed | (number | boolean)[]; shape: number[] };

function flatten(values: Nested): Flat {
  const shape: number[] = [];
  for (let level: Nested | undefined = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  const data: (number | boolean)[] = [];
  const walk = (value: Nested, depth: number): void => {
    const length = Array.isArray(value) ? value.length : undefined;
    if (length !== shape[depth])
      throw new ShapeError(
        `tensor: the arrays are ragged: ${length ?? "a value"} beside ${shape[depth] ?? "a value"} at depth ${depth}`,
      );
    if (!Array.isArray(value)) {
      if (typeof value !== "number" && typeof value !== "boolean")
        throw new TypeError(
          `tensor: a value must be a number or a boolean, got ${value === null ? "null" : typeof value}`,
        );
      data.push(value);
    } else for (const inner of value as readonly Nested[]) walk(inner, depth + 1);
  };
  walk(values, 0);
  return { data, shape };
}

function inferred(data: Flat["data"]): DType {
  // As in NumPy, an array of numbers and booleans has numbers.
  if (Array.isArray(data))
    return data.length > 0 && data.every((value) => typeof value === "boolean") ? "bool" : "float32";
  return data instanceof Float32Array || data instanceof Float64Array ? "float32" : "int32";
}

function stored(data: Flat["data"], dtype: DType, shape: readonly number[]): Float32Array | Int32Array | Uint8Array {
  // As in NumPy, NaN is true, because it is not 0.
  if (dtype === "bool") return Uint8Array.from(data as number[], (value) => (Number(value) === 0 ? 0 : 1));
  if (dtype === "int32") return int32Values("tensor", data as number[], shape);
  return Float32Array.from(data as number[]);
}

const filled = (op: string, sizes: readonly Size[], value: number, given?: DTypeOption): AnyTensor => {
  const dtype = dtypeOf(given);
  const { shape, names } = readSizes(op, sizes);
  const element = dtype === "int32" ? int32Of(op, value) : dtype === "bool" ? Number(value !== 0) : value;
  return label(tf.fill(shape, element, dtype as "float32"), names);
};

/**
 * A tensor of zeros of the given shape, `[...shape]`, float32 by default: `zeros([{ batch: 32 }, 10])`,
 * `zeros([4], { dtype: "int32" })`.
 *
 * @throws RangeError for a size that is not an integer of at least 0
 */
export function zeros<const S extends readonly Size[], const D extends DType = "float32">(
  shape: S,
  dtype?: D | { dtype?: D },
): Tensor<ShapeOfSizes<S>, D>;
export function zeros(shape: readonly Size[], dtype?: DTypeOption): AnyTensor {
  return filled("zeros", shape, 0, dtype);
}

/**
 * A tensor of ones of the given shape, `[...shape]`, float32 by default.
 *
 * @throws RangeError for a size that is not an integer of at least 0
 */
export function ones<const S extends readonly Size[], const D extends DType = "float32">(
  shape: S,
  dtype?: D | { dtype?: D },
): Tensor<ShapeOfSizes<S>, D>;
export function ones(shape: readonly Size[], dtype?: DTypeOption): AnyTensor {
  return filled("ones", shape, 1, dtype);
}

/**
 * A tensor of one value of the given shape, `[...shape]`, float32 by default.
 *
 * @throws RangeError for a size that is not an integer of at least 0, or a value outside int32 where the dtype is int32
 */
export function full<const S extends readonly Size[], const D extends DType = "float32">(
  shape: S,
  value: number,
  dtype?: D | { dtype?: D },
): Tensor<ShapeOfSizes<S>, D>;
export function full(shape: readonly Size[], value: number, dtype?: DTypeOption): AnyTensor {
  return filled("full", shape, value, dtype);
}

/** Zeros with the shape (any shape), names and dtype of another tensor. */
export function zerosLike<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function zerosLike(x: AnyTensor): AnyTensor {
  checkTensor("zerosLike", x);
  return label(tf.zerosLike(x), namesOf(x));
}

/** Ones with the shape (any shape), names and dtype of another tensor. */
export function onesLike<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function onesLike(x: AnyTensor): AnyTensor {
  checkTensor("onesLike", x);
  return label(tf.onesLike(x), namesOf(x));
}

/**
 * The integers from 0 to `stop`, which is excluded, `[stop]`, int32 (`numpy.arange`).
 *
 * @throws RangeError for a bound that is not finite, or integers outside int32
 */
export function arange<const N extends number>(stop: N): Tensor<[N]>;
/**
 * Evenly spaced numbers from `start` to `stop`, which is excluded, `[count]`: int32 where start and step are integers, else
 * float32. The step is 1 by default.
 *
 * @throws RangeError for a bound that is not finite, a step of 0, or integers outside int32
 */
export function arange(start: number, stop: number, step?: number): Tensor<[number]>;
export function arange(start: number, stop?: number, step = 1): AnyTensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (step === 0 || ![from, to, step].every(Number.isFinite))
    throw new RangeError(`arange: expected finite bounds and a step other than 0, got ${from}, ${to}, ${step}`);
  const length = Math.max(0, Math.ceil((to - from) / step));
  const whole = Number.isInteger(from) && Number.isInteger(step);
  if (whole && length > 0) for (const end of [from, from + (length - 1) * step]) int32Of("arange", end);
  const values = whole ? new Int32Array(length) : new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = from + i * step;
  return engine.makeTensor(values, [length], whole ? "int32" : "float32") as AnyTensor;
}

/**
 * Evenly spaced numbers from `start` to `stop`, both included, `[count]`, float32 (`numpy.linspace`).
 *
 * @throws RangeError when `count` is not an integer of at least 0
 */
export function linspace<const N extends number>(start: number, stop: number, count: N): Tensor<[N], "float32">;
export function linspace(start: number, stop: number, count: number): AnyTensor {
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(`linspace: count must be an integer of at least 0, got ${count}`);
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  const values = Float32Array.from({ length: count }, (_, i) => (i === count - 1 && i > 0 ? stop : start + i * step));
  return engine.makeTensor(values, [count], "float32") as AnyTensor;
}

/**
 * The identity matrix, `[size, size]`, float32.
 *
 * @throws RangeError for a size that is not an integer of at least 0
 */
export function eye<const N extends number>(size: N): Tensor<[N, N], "float32">;
export function eye(size: number): AnyTensor {
  readSizes("eye", [size]);
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) values[i * (size + 1)] = 1;
  return engine.makeTensor(values, [size, size], "float32") as AnyTensor;
}

/**
 * The number in a tensor of one element, of any shape. It waits for the device.
 *
 * @throws ShapeError when there is not exactly one element
 */
export function item(x: AnyTensor): number {
  checkTensor("item", x);
  if (x.size !== 1) throw new ShapeError(`item: expected a tensor with one element, got shape ${shapeText(x)}`);
  return x.dataSync()[0]!;
}

type NestedArray<S extends Shape, V> = number extends S["length"]
  ? unknown
  : S extends readonly [Shape[number], ...infer R extends Shape]
    ? NestedArray<R, V>[]
    : V;

/** The elements of a tensor of any shape as nested arrays; a scalar as a number. It waits for the device. */
export function toArray<T extends TensorOperand>(x: T): NestedArray<ShapeOf<T>, number>;
export function toArray(x: AnyTensor): unknown {
  checkTensor("toArray", x);
  return x.arraySync();
}

/**
 * The elements of a tensor of any shape in row-major order as a typed array: Float32Array, Int32Array, or Uint8Array for bool.
 * It waits for the device.
 */
export function toTyped(x: AnyTensor): Float32Array | Int32Array | Uint8Array {
  checkTensor("toTyped", x);
  return x.dataSync();
}
