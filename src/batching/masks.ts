import { type Tensor, tensor } from "../tensor/index.ts";
import type { Batch } from "./batch.ts";

/** The part of a batch that decides which tokens see each other. */
export type MaskedTokens = Pick<Batch, "rows" | "time" | "mask" | "segments" | "segmentsPerRow">;

/** Options of `attentionMask`. */
export interface AttentionMaskOptions {
  /** The sequences that are attended to, as the `source` of a batch with `source` and `target`; the batch's own by default. */
  keys?: MaskedTokens;
  /** Hides later tokens of the same sequence, as a language model needs; false by default. */
  causal?: boolean;
}

/**
 * Which tokens each token of a batch may attend to, as the `mask` of `scaledDotProductAttention`: bool, true where it may.
 * Padding is hidden, and in packed rows every other sequence: `[rows, 1, 1, time]` of the keys, or `[rows, 1, queries, keys]`
 * where rows are packed or the mask is causal. A token of padding that may attend to nothing has a row of false.
 *
 * @throws RangeError when `keys` has other rows; TypeError for a causal mask between different sequences
 */
export function attentionMask(
  batch: MaskedTokens,
  { keys = batch, causal = false }: AttentionMaskOptions = {},
): Tensor<[number, 1, number, number], "bool"> {
  const { values, shape } = visibleTokens(batch, { keys, causal });
  return tensor(values, { dtype: "bool", shape });
}

/** The values of `attentionMask`, 1 where a token may attend to another, and their shape. */
export function visibleTokens(
  batch: MaskedTokens,
  { keys = batch, causal = false }: AttentionMaskOptions,
): { values: Uint8Array; shape: [number, 1, number, number] } {
  const { rows, time } = batch;
  if (causal && keys !== batch) {
    throw new TypeError("attentionMask: a causal mask is of one sequence; leave out `keys`, or `causal`");
  }
  if (keys.rows !== rows) {
    throw new RangeError(`attentionMask: the keys have ${keys.rows} rows, but the batch has ${rows}`);
  }
  const isPacked = batch.segmentsPerRow > 1 || keys.segmentsPerRow > 1;
  if (!isPacked && !causal) return { values: Uint8Array.from(keys.mask), shape: [rows, 1, 1, keys.time] };
  const mask = new Uint8Array(rows * time * keys.time);
  for (let row = 0; row < rows; row++) {
    for (let query = 0; query < time; query++) {
      const segment = batch.segments[row * time + query];
      if (segment === 0) continue;
      const at = (row * time + query) * keys.time;
      const end = causal ? query + 1 : keys.time;
      for (let key = 0; key < end; key++) mask[at + key] = keys.segments[row * keys.time + key] === segment ? 1 : 0;
    }
  }
  return { values: mask, shape: [rows, 1, time, keys.time] };
}
