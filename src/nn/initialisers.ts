// Initial values of parameters, with PyTorch's formulas (torch.nn.init).
import { sizeOf } from "../base/shape.ts";
import { type Random, randomOver } from "../data/random.ts";
import { engine, tf } from "../runtime/index.ts";
import { sameShape } from "../tensor/engine.ts";
import { ShapeError } from "../tensor/errors.ts";
import { readSizes } from "../tensor/layout.ts";
import { label } from "../tensor/names.ts";
import type { ParametersOf } from "../tensor/parameters.ts";
import { generatorOf, type RandomOptions } from "../tensor/random.ts";
import type { Shape, ShapeOfSizes, Size } from "../tensor/types/shape.ts";
import type { AnyTensor, Tensor, TensorOperand } from "../tensor/types/tensor.ts";

/**
 * The initial values of one parameter: a number for all elements, or a function of the shape, such as those of this file, `randn`,
 * or one of your own.
 */
export type Initialiser = number | ((shape: number[], options: RandomOptions) => TensorOperand);

/** A trainable variable of a known shape. */
export type Parameter<S extends Shape> = ParametersOf<Tensor<S, "float32">>;

/** The numbers that `from` gives; one source for all parameters of a layer. */
export const randomFor = (from: RandomOptions["from"]): Random =>
  randomOver(generatorOf(from === undefined ? {} : { from }));

/**
 * A variable with initial values.
 *
 * @throws ShapeError when the initialiser gives another shape
 */
export function parameter<S extends Shape>(
  name: string,
  init: Initialiser,
  shape: number[],
  from: Random = randomFor(0),
): Parameter<S> {
  const values = (typeof init === "number" ? tf.fill(shape, init) : init(shape, { from })) as AnyTensor;
  if (!sameShape(values.shape, shape))
    throw new ShapeError(`${name}: expected initial values [${shape.join(", ")}], got [${values.shape.join(", ")}]`);
  const variable = tf.variable(values);
  values.dispose();
  return variable as unknown as Parameter<S>;
}

/** Whether an affine layer has a bias, and its initial values. */
export interface AffineOptions {
  bias?: boolean | undefined;
  init?: { weight?: Initialiser; bias?: Initialiser } | undefined;
}

/**
 * A weight of a shape and a bias `[out]`, both by default uniform within `bound`.
 *
 * @throws ShapeError when an initialiser gives another shape
 */
export function affineParameters<S extends number[]>(
  name: string,
  shape: S,
  out: number,
  bound: number,
  { bias = true, init = {} }: AffineOptions,
  rng: Random,
): { weight: Parameter<S>; bias?: Parameter<[number]> } {
  const initial = uniformWithin(bound);
  const weight = parameter<S>(`${name}: weight`, init.weight ?? initial, shape, rng);
  return bias ? { weight, bias: parameter<[number]>(`${name}: bias`, init.bias ?? initial, [out], rng) } : { weight };
}

/** Uniform in [-bound, bound]. */
export const uniformWithin =
  (bound: number): Initialiser =>
  (shape, options) =>
    drawn("uniform", shape, options, (rng) => (2 * rng.uniform() - 1) * bound);

/** Standard normal numbers. */
export const standardNormal: Initialiser = (shape, options) => drawn("normal", shape, options, (rng) => rng.normal());

function drawn(op: string, sizes: readonly Size[], { from }: RandomOptions, next: (rng: Random) => number): AnyTensor {
  const { shape, names } = readSizes(op, sizes);
  const rng = randomFor(from);
  const values = Float32Array.from({ length: sizeOf(shape) }, () => next(rng));
  return label(engine.makeTensor(values, shape, "float32") as AnyTensor, names);
}

/**
 * The number of inputs that one output adds up, and of outputs that one input reaches: of `[in, out]`, and of a convolution's
 * `[...kernel, in, out]`.
 */
function fans(op: string, sizes: readonly Size[]): { fanIn: number; fanOut: number } {
  const { shape } = readSizes(op, sizes);
  if (shape.length < 2)
    throw new ShapeError(`${op}: expected a weight [in, out] or [...kernel, in, out], got [${shape.join(", ")}]`);
  const kernel = sizeOf(shape.slice(0, -2));
  return { fanIn: kernel * shape.at(-2)!, fanOut: kernel * shape.at(-1)! };
}

type Options = RandomOptions & { gain?: number };

/**
 * Uniform within `gain * sqrt(6 / (in + out))`, for a weight `[in, out]` or `[...kernel, in, out]` (Glorot and Bengio 2010;
 * `torch.nn.init.xavier_uniform_`).
 *
 * @throws ShapeError for a shape of less than two axes; TypeError when `from` is neither a seed nor a generator
 */
export function xavierUniform<const S extends readonly Size[]>(
  shape: S,
  options: Options = {},
): Tensor<ShapeOfSizes<S>, "float32"> {
  const { fanIn, fanOut } = fans("xavierUniform", shape);
  const bound = (options.gain ?? 1) * Math.sqrt(6 / (fanIn + fanOut));
  return drawn("xavierUniform", shape, options, (rng) => (2 * rng.uniform() - 1) * bound) as never;
}
