import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../batching/batch.ts";
import { attentionMask, type MaskedTokens } from "../batching/masks.ts";
import { tf } from "../runtime/index.ts";
import { type AttentionMask, causalCondition, maskOfVisible } from "./ops/attention-mask.ts";

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
    attentionMask: attentionBias(batch),
    meanWeights: tf.tensor3d(weights, [rows, segmentsPerRow, time]),
    sequences: places.length === rows * segmentsPerRow ? undefined : tf.tensor1d(places, "int32"),
  };
}

/**
 * Which tokens of a batch see each other: those of their own sequence, and no later ones where it is causal; or which tokens of
 * `keys` they see. Absent when nothing is hidden. No loss uses what comes of a query that sees nothing: it is padding, so it keeps
 * a result that is not 0.
 */
export function attentionBias(
  batch: MaskedTokens,
  { keys = batch, causal = false }: { keys?: MaskedTokens; causal?: boolean } = {},
): AttentionMask | undefined {
  const isPacked = batch.segmentsPerRow > 1 || keys.segmentsPerRow > 1;
  const { rows, time, mask } = batch;
  if (!isPacked && !causal && !keys.mask.includes(0)) return undefined;
  // A token of a causal model sees no padding after it.
  const isPaddedBefore = Array.from({ length: rows }, (_, row) => mask[row * time]).includes(0);
  if (!isPacked && causal && !isPaddedBefore) return time === 1 ? undefined : biasAlone(causalCondition(time, time));
  return biasAlone(attentionMask(batch, { keys, causal }));
}

const biasAlone = (visible: Tensor): AttentionMask => ({ bias: tf.tidy(() => maskOfVisible(visible).bias) });

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
