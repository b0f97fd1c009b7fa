// Attention between rows of tokens, `[rows * time, features]`: what the layers and models of attention share.
import { tf } from "../../runtime/index.ts";
import type { Dropout } from "../../tensor/dropout-mask.ts";
import { rmsNorm } from "../../tensor/normalize.ts";
import type { AnyTensor, TensorOperand } from "../../tensor/types/tensor.ts";
import type { Parameter } from "../initialisers.ts";
import { type ApplyOptions, dropoutSeed } from "../layer.ts";
import { attention } from "../ops/attention.ts";
import type { AttentionMask } from "../ops/attention-mask.ts";
import type { KeyValueCache } from "../ops/key-value-cache.ts";
import { linear } from "../ops/linear.ts";
import { type RotaryTable, rotaryTable, rotated } from "../ops/rotary.ts";
import { scaledDotProductAttention } from "../ops/scaled-dot-product-attention.ts";

/** A weight `[in, out]` and a bias `[out]`, or no bias. */
interface AffineParameters {
  weight: TensorOperand;
  bias?: TensorOperand | undefined;
}

/** The sizes of an attention layer. */
export interface HeadSettings {
  features: number;
  heads: number;
  keyValueHeads: number;
  /** Features of a head. */
  size: number;
  /** The dropout rate of the weights. */
  dropout: number;
  /** The rates of rotary positions; undefined without. */
  rotary: Float32Array | undefined;
}

/** RMS norms of the queries and the keys of each head, before they are turned (Qwen 3): `[size]`. */
export interface HeadNorms {
  query: Parameter<[number]>;
  key: Parameter<[number]>;
  epsilon: number;
}

/** Where the rows come from. */
export interface TokenRows {
  rows: number;
  time: number;
  mask: AnyTensor | AttentionMask | undefined;
  /** For rotary positions: `[time]` or `[rows, time]`, or their table. */
  positions?: AnyTensor | RotaryTable | undefined;
  cache?: KeyValueCache | undefined;
}

/** The dropout of these options at a rate; undefined where nothing is dropped. */
export const dropoutAt = (rate: number, options: ApplyOptions): Dropout | undefined =>
  options.training && rate > 0 ? { rate, seed: dropoutSeed(options) } : undefined;

/** The affine map of `[rows, in]` to `[rows, out]`. */
export const affine = (x: AnyTensor, { weight, bias }: AffineParameters): AnyTensor =>
  linear(x, weight as AnyTensor, bias) as AnyTensor;

/**
 * Self-attention, before the output layer: `projected: [rows * time, (heads + 2 * keyValueHeads) * size]` has queries, keys and
 * values side by side; the result is `[rows * time, heads * size]`.
 */
export function selfAttention(
  projected: AnyTensor,
  { heads, keyValueHeads, size, dropout, rotary }: HeadSettings,
  { rows, time, mask, positions, cache }: TokenRows,
  options: ApplyOptions,
  norms?: HeadNorms,
): AnyTensor {
  const drop = dropoutAt(dropout, options);
  const isCondition = mask instanceof tf.Tensor;
  if (!rotary && !norms && keyValueHeads === heads && !cache && !isCondition)
    return attention(projected as never, { rows, time, heads, bias: mask, dropout: drop }) as AnyTensor;
  const [queries, keys, values] = tf.split(
    projected,
    [heads, keyValueHeads, keyValueHeads].map((n) => n * size),
    1,
  );
  const table = rotary && tableOf(positions ?? places(cache, time), rotary);
  const turn = (x: AnyTensor, scale: Parameter<[number]> | undefined) => {
    const normed = scale ? (rmsNorm(x, scale, norms!.epsilon) as AnyTensor) : x;
    return table ? rotated(normed, table) : normed;
  };
  const q = turn(splitHeads(queries!, rows, time, heads), norms?.query);
  const own = {
    keys: turn(splitHeads(keys!, rows, time, keyValueHeads), norms?.key),
    values: splitHeads(values!, rows, time, keyValueHeads),
  };
  const all = cache ? cache.append(own.keys, own.values) : own;
  return mergeHeads(scaledDotProductAttention(q, all.keys, all.values, { mask, dropout: drop }) as AnyTensor);
}

const tableOf = (positions: AnyTensor | RotaryTable, rates: Float32Array): RotaryTable =>
  positions instanceof tf.Tensor ? rotaryTable(positions, rates) : positions;

/** The positions after those of the cache. */
const places = (cache: KeyValueCache | undefined, time: number): AnyTensor =>
  tf.range(cache?.length ?? 0, (cache?.length ?? 0) + time, 1, "int32");

/**
 * Attention of queries `[rows * time, features]` to keys and values side by side, `[rows * keys, 2 * keyValueHeads * size]`, before
 * the output layer: `[rows * time, features]`. With a cache the keys and values are those of the first call.
 */
export function crossAttention(
  queries: AnyTensor,
  context: () => AnyTensor,
  { heads, keyValueHeads, dropout }: HeadSettings,
  { rows, time, mask, cache }: TokenRows,
  options: ApplyOptions,
): AnyTensor {
  const drop = dropoutAt(dropout, options);
  const split = () => {
    const projected = context();
    const [keys, values] = tf.split(projected, 2, 1) as [AnyTensor, AnyTensor];
    const length = projected.shape[0]! / rows;
    return {
      keys: splitHeads(keys, rows, length, keyValueHeads),
      values: splitHeads(values, rows, length, keyValueHeads),
    };
  };
  const made = cache?.entries ?? split();
  const { keys, values } = cache && !cache.entries ? cache.append(made.keys, made.values) : made;
  const q = splitHeads(queries, rows, time, heads);
  return mergeHeads(scaledDotProductAttention(q, keys, values, { mask, dropout: drop }) as AnyTensor);
}

/** `[rows * time, heads * size]` as `[rows, heads, time, size]`. */
const splitHeads = (x: AnyTensor, rows: number, time: number, heads: number): AnyTensor =>
  tf.transpose(tf.reshape(x, [rows, time, heads, x.shape[1]! / heads]), [0, 2, 1, 3]);

function mergeHeads(x: AnyTensor): AnyTensor {
  const [rows, heads, time, size] = x.shape as [number, number, number, number];
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [rows * time, heads * size]);
}
