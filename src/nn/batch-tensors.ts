import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../batching/batch.ts";
import { tf } from "../runtime/index.ts";
import type { AttentionMask } from "./ops/attention-mask.ts";

/** Added to the score of a hidden key, whose weight is then exactly 0, whatever the score. */
const HIDDEN = Number.NEGATIVE_INFINITY;

/** The tensors of a batch that a Transformer classifier needs. */
export interface BatchTensors {
  /** `[rows * time]` */
  ids: Tensor1D;
  /** `[rows * time, width]`, of sequences of real numbers. */
  features: Tensor2D | undefined;
  positions: Tensor1D;
  attentionMask: AttentionMask | undefined;
  /** `1 / length` on a sequence's tokens, 0 elsewhere: `[rows, segments, time]`. */
  meanWeights: Tensor3D;
  /** Which of the `rows * segments` pooled vectors are sequences; absent when all are. */
  sequences: Tensor1D | undefined;
}

export function batchTensors(batch: Batch): BatchTensors {
  const { rows, time, segmentsPerRow } = batch;
  const { weights, places } = meanWeights(batch);
  return {
    ids: tf.tensor1d(batch.ids, "int32"),
    features: batch.features && tf.tensor2d(batch.features, [rows * time, batch.features.length / (rows * time)]),
    positions: tf.tensor1d(batch.positions, "int32"),
    attentionMask: attentionMask(batch),
    meanWeights: tf.tensor3d(weights, [rows, segmentsPerRow, time]),
    sequences: places.length === rows * segmentsPerRow ? undefined : tf.tensor1d(places, "int32"),
  };
}

/** The part of a batch that decides which tokens see each other. */
export type MaskedTokens = Pick<Batch, "rows" | "time" | "mask" | "segments" | "segmentsPerRow">;

/**
 * Which tokens of a batch see each other: those of their own sequence, and no later ones where it is causal. Its bias is
 * `[rows, 1, 1, time]`, or `[rows, 1, time, time]` when it differs between queries, or `[1, 1, time, time]` when no row has padding
 * that matters. Absent when nothing is hidden. No loss uses what comes of a query that sees nothing: it is padding.
 */
export function attentionMask(batch: MaskedTokens, { causal = false } = {}): AttentionMask | undefined {
  const { rows, time, mask, segmentsPerRow } = batch;
  if (segmentsPerRow > 1) return pairMask(batch, batch, causal);
  if (!causal) return keyMask(batch);
  // A token sees no padding after it.
  const isPaddedBefore = Array.from({ length: rows }, (_, row) => mask[row * time]).includes(0);
  if (isPaddedBefore) return pairMask(batch, batch, causal);
  const all = new Uint8Array(time).fill(1);
  const row = { rows: 1, time, mask: all, segments: Int32Array.from(all), segmentsPerRow };
  return time === 1 ? undefined : pairMask(row, row, causal);
}

/** Which tokens of `keys` the tokens of `queries` see, where row i of one belongs to row i of the other. */
export function crossMask(queries: MaskedTokens, keys: MaskedTokens): AttentionMask | undefined {
  return queries.segmentsPerRow > 1 || keys.segmentsPerRow > 1 ? pairMask(queries, keys, false) : keyMask(keys);
}

function keyMask({ rows, time, mask }: MaskedTokens): AttentionMask | undefined {
  if (!mask.includes(0)) return undefined;
  const bias = Float32Array.from(mask, (token) => (token ? 0 : HIDDEN));
  openBlindRows(bias, time);
  return { bias: tf.tensor4d(bias, [rows, 1, 1, time]) };
}

function pairMask(queries: MaskedTokens, keys: MaskedTokens, causal: boolean): AttentionMask {
  const { rows, time } = queries;
  const bias = new Float32Array(rows * time * keys.time);
  for (let row = 0; row < rows; row++) {
    for (let query = 0; query < time; query++) {
      const segment = queries.segments[row * time + query];
      for (let key = 0; key < keys.time; key++) {
        const at = row * keys.time + key;
        const sees = keys.mask[at] && segment === keys.segments[at] && !(causal && key > query);
        bias[(row * time + query) * keys.time + key] = sees ? 0 : HIDDEN;
      }
    }
  }
  openBlindRows(bias, keys.time);
  return { bias: tf.tensor4d(bias, [rows, 1, time, keys.time]) };
}

/** Where everything is hidden nothing is, so that a softmax is finite. */
function openBlindRows(bias: Float32Array, time: number): void {
  for (let start = 0; start < bias.length; start += time) {
    const row = bias.subarray(start, start + time);
    if (row.every((value) => value === HIDDEN)) row.fill(0);
  }
}
function meanWeights({ rows, time, segments, segmentsPerRow }: Batch): { weights: Float32Array; places: number[] } {
  const weights = new Float32Array(rows * segmentsPerRow * time);
  const places: number[] = [];
  for (let row = 0; row < rows; row++) {
    const counts = new Int32Array(segmentsPerRow + 1);
    for (let t = 0; t < time; t++) counts[segments[row * time + t]!]!++;
    for (let segment = 1; segment <= segmentsPerRow; segment++) {
      if (counts[segment]) places.push(row * segmentsPerRow + segment - 1);
    }
    for (let t = 0; t < time; t++) {
      const segment = segments[row * time + t]!;
      if (segment > 0) weights[(row * segmentsPerRow + segment - 1) * time + t] = 1 / counts[segment]!;
    }
  }
  return { weights, places };
}
