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
import { normalBetween, orthonormal } from "./draws.ts";

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
    drawn("uniform", shape, options, uniform(bound));

const uniform = (bound: number) => (rng: Random) => (2 * rng.uniform() - 1) * bound;

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

/** The options of the initialisers that scale by the size of a weight. */
export interface GainOptions extends RandomOptions {
  /** The factor of the standard deviation; 1 by default, `sqrt(2)` suits a rectifier. */
  gain?: number;
}

/**
 * Uniform within `gain * sqrt(6 / (in + out))`, for a weight `[in, out]` or `[...kernel, in, out]` (Glorot and Bengio 2010;
 * `torch.nn.init.xavier_uniform_`).
 *
 * @throws ShapeError for a shape of less than two axes; TypeError when `from` is neither a seed nor a generator
 */
export function xavierUniform<const S extends readonly Size[]>(
  shape: S,
  options: GainOptions = {},
): Tensor<ShapeOfSizes<S>, "float32"> {
  const { fanIn, fanOut } = fans("xavierUniform", shape);
  const bound = (options.gain ?? 1) * Math.sqrt(6 / (fanIn + fanOut));
  return drawn("xavierUniform", shape, options, uniform(bound)) as never;
}

/**
 * Normal with standard deviation `gain * sqrt(2 / (in + out))`, for a weight `[in, out]` or `[...kernel, in, out]` (Glorot and Bengio
 * 2010; `torch.nn.init.xavier_normal_`).
 *
 * @throws ShapeError for a shape of less than two axes; TypeError when `from` is neither a seed nor a generator
 */
export function xavierNormal<const S extends readonly Size[]>(
  shape: S,
  options: GainOptions = {},
): Tensor<ShapeOfSizes<S>, "float32"> {
  const { fanIn, fanOut } = fans("xavierNormal", shape);
  const deviation = (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut));
  return drawn("xavierNormal", shape, options, (rng) => rng.normal() * deviation) as never;
}

/** The options of `kaimingUniform` and `kaimingNormal`. */
export interface KaimingOptions extends RandomOptions {
  /** Whether values keep their variance forwards ("fanIn", the default) or gradients backwards ("fanOut"). */
  mode?: "fanIn" | "fanOut";
  /** The slope of the leaky rectifier that follows, for negative values; 0, a rectifier, by default. */
  slope?: number;
}

/** The standard deviation that keeps the variance through a leaky rectifier. */
function kaimingDeviation(op: string, shape: readonly Size[], { mode = "fanIn", slope = 0 }: KaimingOptions): number {
  if (mode !== "fanIn" && mode !== "fanOut")
    throw new RangeError(`${op}: mode must be "fanIn" or "fanOut", got ${mode}`);
  return Math.sqrt(2 / ((1 + slope * slope) * fans(op, shape)[mode]));
}

/**
 * Uniform within `sqrt(6 / ((1 + slope^2) * in))`, for a weight `[in, out]` or `[...kernel, in, out]` before a rectifier (He et al.
 * 2015; `torch.nn.init.kaiming_uniform_`).
 *
 * @throws ShapeError for a shape of less than two axes; RangeError for an unknown mode; TypeError when `from` is neither a seed nor
 *   a generator
 */
export function kaimingUniform<const S extends readonly Size[]>(
  shape: S,
  options: KaimingOptions = {},
): Tensor<ShapeOfSizes<S>, "float32"> {
  const bound = Math.sqrt(3) * kaimingDeviation("kaimingUniform", shape, options);
  return drawn("kaimingUniform", shape, options, uniform(bound)) as never;
}

/**
 * Normal with standard deviation `sqrt(2 / ((1 + slope^2) * in))`, for a weight `[in, out]` or `[...kernel, in, out]` before a
 * rectifier (He et al. 2015; `torch.nn.init.kaiming_normal_`).
 *
 * @throws ShapeError for a shape of less than two axes; RangeError for an unknown mode; TypeError when `from` is neither a seed nor
 *   a generator
 */
export function kaimingNormal<const S extends readonly Size[]>(
  shape: S,
  options: KaimingOptions = {},
): Tensor<ShapeOfSizes<S>, "float32"> {
  const deviation = kaimingDeviation("kaimingNormal", shape, options);
  return drawn("kaimingNormal", shape, options, (rng) => rng.normal() * deviation) as never;
}

/** The options of `truncatedNormal`. */
export interface TruncatedNormalOptions extends RandomOptions {
  /** 0 by default. */
  mean?: number;
  /** The standard deviation before the truncation; 1 by default. */
  std?: number;
  /** The least value; -2 by default, whatever the deviation, as in PyTorch. */
  low?: number;
  /** The largest value; 2 by default. */
  high?: number;
}

/**
 * Normal numbers between `low` and `high` of any shape, `[...shape]`; those outside are drawn again (`torch.nn.init.trunc_normal_`).
 *
 * @throws RangeError unless `std` is positive and `low` is below `high`; TypeError when `from` is neither a seed nor a generator
 */
export function truncatedNormal<const S extends readonly Size[]>(
  shape: S,
  options: TruncatedNormalOptions = {},
): Tensor<ShapeOfSizes<S>, "float32"> {
  const { mean = 0, std = 1, low = -2, high = 2 } = options;
  if (!(std > 0)) throw new RangeError(`truncatedNormal: std must be positive, got ${std}`);
  if (!(low < high)) throw new RangeError(`truncatedNormal: low must be below high, got ${low} and ${high}`);
  const [least, most] = [(low - mean) / std, (high - mean) / std];
  return drawn("truncatedNormal", shape, options, (rng) => mean + std * normalBetween(rng, least, most)) as never;
}

/**
 * A weight `[in, out]` or `[...kernel, in, out]` whose columns (or rows, if there are fewer) are orthogonal and of length `gain`
 * (Saxe et al. 2014; `torch.nn.init.orthogonal_`). The columns are the outputs, over all other axes.
 *
 * @throws ShapeError for a shape of less than two axes; TypeError when `from` is neither a seed nor a generator
 */
export function orthogonal<const S extends readonly Size[]>(
  shape: S,
  options: GainOptions = {},
): Tensor<ShapeOfSizes<S>, "float32"> {
  const { fanIn: rows } = fans("orthogonal", shape);
  const columns = readSizes("orthogonal", shape).shape.at(-1)!;
  const rng = randomFor(options.from);
  const gain = options.gain ?? 1;
  const vectors = orthonormal(rng, Math.min(rows, columns), Math.max(rows, columns));
  // `drawn` asks for one element after another, in the order of rows.
  let i = 0;
  return drawn("orthogonal", shape, { from: rng }, () => {
    const [row, column] = [Math.floor(i / columns), i++ % columns];
    return gain * (columns <= rows ? vectors[column]![row]! : vectors[row]![column]!);
  }) as never;
}
