import type { Rank, Variable } from "@tensorflow/tfjs-node-gpu";
import { sizeOf } from "../base/shape.ts";
import type { Random } from "../data/random.ts";
import { tf } from "../runtime/index.ts";

/** Uniform in [-bound, bound]. */
export function uniform<R extends Rank>(rng: Random, shape: number[], bound: number): Variable<R> {
  return filled(shape, () => (2 * rng.uniform() - 1) * bound);
}

/** Uniform with bound `sqrt(6 / (in + out))`. Glorot & Bengio 2010; PyTorch's `xavier_uniform_`. */
export function xavier<R extends Rank>(rng: Random, shape: [number, number]): Variable<R> {
  return uniform(rng, shape, Math.sqrt(6 / (shape[0] + shape[1])));
}

export function normal<R extends Rank>(rng: Random, shape: number[], deviation: number): Variable<R> {
  return filled(shape, () => rng.normal() * deviation);
}

export function constant<R extends Rank>(shape: number[], value: number): Variable<R> {
  return filled(shape, () => value);
}

function filled<R extends Rank>(shape: number[], next: () => number): Variable<R> {
  const size = sizeOf(shape);
  const values = tf.tensor(Float32Array.from({ length: size }, next), shape);
  const variable = tf.variable(values) as unknown as Variable<R>;
  values.dispose();
  return variable;
}
