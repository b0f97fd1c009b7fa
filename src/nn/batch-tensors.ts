import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../batching/batch.ts";
import { tf } from "../runtime/index.ts";
import type { AttentionMask } from "./ops/attention-mask.ts";

/** Added to the score of a hidden key, whose weight is then exactly 0, whatever the score. */
const HIDDEN = Number.NEGATIVE_INFINITY;

/** The tensors of a batch that a Transformer needs. */
export interface BatchTensors {
  /** `[rows * time]` */
  ids: Tensor1D;
  /** `[rows * time, width]`, of sequences of real numbers. */
  features: Tensor2D | undefined;
  positions: Tensor1D;
  /**
   * Its bias is `[rows, 1, 1, time]`, or `[rows, 1, time, time]` when rows are packed. Absent when nothing is hidden. No
   * loss uses what comes of a query that sees nothing: it is padding.
   */
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

function attentionMask({ rows, time, mask, segments, segmentsPerRow }: Batch): AttentionMask | undefined {
  if (segmentsPerRow === 1) {
    if (!mask.includes(0)) return undefined;
    const bias = Float32Array.from(mask, (token) => (token ? 0 : HIDDEN));
    openBlindRows(bias, time);
    return { bias: tf.tensor4d(bias, [rows, 1, 1, time]) };
  }
  const bias = new Float32Array(rows * time * time);
  for (let row = 0; row < rows; row++) {
    for (let query = 0; query < time; query++) {
      for (let key = 0; key < time; key++) {
        const sees = mask[row * time + key] && segments[row * time + query] === segments[row * time + key];
        bias[(row * time + query) * time + key] = sees ? 0 : HIDDEN;
      }
    }
  }
  openBlindRows(bias, time);
  return { bias: tf.tensor4d(bias, [rows, 1, time, time]) };
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
