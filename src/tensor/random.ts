// Random tensors. The numbers are made in JavaScript, so that a seed gives the same ones on every backend.
import { sizeOf } from "../base/shape.ts";
import { type Generator, generator, noteState } from "../random/index.ts";
import { engine } from "../runtime/index.ts";
import { asExamples, randomLevels } from "../runtime/levels.ts";
import { stepNumbers } from "../runtime/native/capture/step-inputs.ts";
import { int32Of } from "./int32.ts";
import { readSizes } from "./layout.ts";
import { label } from "./names.ts";
import type { DType, ShapeOfSizes, Size } from "./types/shape.ts";
import type { AnyTensor, Tensor } from "./types/tensor.ts";

const shared: Generator = generator(0);

/**
 * Seeds the default generator of the random functions, or restores its state. A new process starts with seed 0.
 *
 * @throws RangeError for a seed that is not an integer within 2^53, or a value that is not a generator's state
 */
export function seed(value: number | readonly number[]): void {
  shared.setState(generator(value).getState());
}

/** The state of the default generator, for `seed` to restore. */
export const randomState = (): readonly number[] => shared.getState();

/** Options of the random functions. */
export interface RandomOptions {
  /** A generator, or a seed for these numbers alone; the default generator by default. */
  from?: Generator | number;
}

/** The generator of some options. Throws TypeError when `from` is neither a seed nor a generator. */
export function generatorOf({ from = shared }: RandomOptions): Generator {
  const found = typeof from === "number" ? generator(from) : from;
  if (typeof found?.next !== "function" || typeof found.setState !== "function")
    throw new TypeError(`from must be a seed or a generator (of generator(seed) or random(seed)), got ${found}`);
  // A generator of another library does not record its draws itself.
  noteState(found);
  return found;
}

/** Two words that seed a mask made where the tensor is. */
export function drawSeed(options: RandomOptions = {}): [number, number] {
  return stepNumbers(twoWords, generatorOf(options));
}

const twoWords = (random: Generator): [number, number] => [random.next() | 0, random.next() | 0];

const unit = 2 ** -24;
/** Uniform in [0, 1): the 24 bits that a float32 holds. */
export const next = (random: Generator): number => (random.next() >>> 8) * unit;

function made(
  op: string,
  sizes: readonly Size[],
  dtype: DType,
  fill: (values: Float32Array | Int32Array) => void,
): AnyTensor {
  const { shape, names } = readSizes(op, sizes);
  const length = sizeOf(shape);
  const levels = randomLevels(op);
  const all = [...levels.map(({ size }) => size), ...shape];
  const total = sizeOf(all);
  const values = dtype === "float32" ? new Float32Array(total) : new Int32Array(total);
  // One example after the other, as a loop over the examples draws.
  for (let start = 0; start < total; start += length) fill(values.subarray(start, start + length));
  return label(asExamples(engine.makeTensor(values, all, dtype) as AnyTensor, levels), names);
}

/**
 * Normally distributed numbers of the given shape, `[...shape]`, with mean 0 and standard deviation 1 by default (Box and
 * Muller 1958).
 *
 * @throws RangeError for a negative standard deviation; TypeError when `from` is neither a seed nor a generator
 */
export function randn<const S extends readonly Size[]>(
  shape: S,
  options?: RandomOptions & { mean?: number; std?: number },
): Tensor<ShapeOfSizes<S>, "float32">;
export function randn(
  shape: readonly Size[],
  options: RandomOptions & { mean?: number; std?: number } = {},
): AnyTensor {
  const { mean = 0, std = 1 } = options;
  if (!(std >= 0)) throw new RangeError(`randn: std must not be negative, got ${std}`);
  const random = generatorOf(options);
  return made("randn", shape, "float32", (values) => {
    for (let i = 0; i < values.length; i += 2) {
      const radius = std * Math.sqrt(-2 * Math.log(1 - next(random)));
      const angle = 2 * Math.PI * next(random);
      values[i] = mean + radius * Math.cos(angle);
      if (i + 1 < values.length) values[i + 1] = mean + radius * Math.sin(angle);
    }
  });
}

/**
 * Uniform numbers in `[low, high)`, `[0, 1)` by default, of the given shape, `[...shape]`.
 *
 * @throws RangeError when `low` is above `high`; TypeError when `from` is neither a seed nor a generator
 */
export function rand<const S extends readonly Size[]>(
  shape: S,
  options?: RandomOptions & { low?: number; high?: number },
): Tensor<ShapeOfSizes<S>, "float32">;
export function rand(shape: readonly Size[], options: RandomOptions & { low?: number; high?: number } = {}): AnyTensor {
  const { low = 0, high = 1 } = options;
  if (!(low <= high)) throw new RangeError(`rand: low must not be above high, got ${low} and ${high}`);
  const random = generatorOf(options);
  return made("rand", shape, "float32", (values) => {
    for (let i = 0; i < values.length; i++) values[i] = low + (high - low) * next(random);
  });
}

/** A uniform integer in [0, n) without bias: draws from the excess of 2^32 are rejected (Lemire 2019). */
function below(random: Generator, n: number): number {
  const limit = 2 ** 32 - (2 ** 32 % n);
  for (;;) {
    const bits = random.next() >>> 0;
    if (bits < limit) return bits % n;
  }
}

/**
 * Uniform integers in `[low, high)` of the given shape, `[...shape]`, int32 (`torch.randint`).
 *
 * @throws RangeError unless both are integers within int32 with low < high; TypeError when `from` is neither a seed nor a
 *   generator
 */
export function randint<const S extends readonly Size[]>(
  low: number,
  high: number,
  shape: S,
  options?: RandomOptions,
): Tensor<ShapeOfSizes<S>, "int32">;
export function randint(low: number, high: number, shape: readonly Size[], options: RandomOptions = {}): AnyTensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || low >= high)
    throw new RangeError(`randint: low and high must be integers with low < high, got ${low} and ${high}`);
  for (const end of [low, high - 1]) int32Of("randint", end);
  const random = generatorOf(options);
  return made("randint", shape, "int32", (values) => {
    for (let i = 0; i < values.length; i++) values[i] = low + below(random, high - low);
  });
}

/**
 * The integers 0 to n - 1 in random order, `[n]`, int32 (Fisher and Yates; `torch.randperm`).
 *
 * @throws RangeError when `n` is not an integer of at least 0; TypeError when `from` is neither a seed nor a generator
 */
export function randperm<const N extends number>(n: N, options?: RandomOptions): Tensor<[N], "int32">;
export function randperm(n: number, options: RandomOptions = {}): AnyTensor {
  const random = generatorOf(options);
  return made("randperm", [n], "int32", (values) => {
    for (let i = 0; i < n; i++) {
      const j = below(random, i + 1);
      values[i] = values[j]!;
      values[j] = i;
    }
  });
}

/**
 * 1 with probability `p`, else 0, of the given shape, `[...shape]`, float32 (`torch.bernoulli`).
 *
 * @throws RangeError when `p` is outside [0, 1]; TypeError when `from` is neither a seed nor a generator
 */
export function bernoulli<const S extends readonly Size[]>(
  shape: S,
  p: number,
  options?: RandomOptions,
): Tensor<ShapeOfSizes<S>, "float32">;
export function bernoulli(shape: readonly Size[], p: number, options: RandomOptions = {}): AnyTensor {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`bernoulli: p must be between 0 and 1, got ${p}`);
  const random = generatorOf(options);
  const limit = p * 2 ** 32;
  return made("bernoulli", shape, "float32", (values) => {
    for (let i = 0; i < values.length; i++) values[i] = random.next() >>> 0 < limit ? 1 : 0;
  });
}
