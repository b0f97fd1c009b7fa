import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../batching/batch.ts";
import { type MaskedTokens, visibleTokens } from "../batching/masks.ts";
import { tf } from "../runtime/index.ts";
import { type AttentionMask, biasOfValues, causalValues } from "./ops/attention-mask.ts";

/** The tensors of a batch that a Transformer classifier needs. */
export interface BatchTensors {
  rows: number;
  time: number;
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
  const { rows, time } = batch;
  return {
    rows,
    time,
    ids: tf.tensor1d(batch.ids, "int32"),
    features: batch.features && tf.tensor2d(batch.features, [rows * time, batch.features.length / (rows * time)]),
    positions: tf.tensor1d(batch.positions, "int32"),
    attentionMask: attentionBias(batch),
    ...poolingTensors(batch),
  };
}

/** The tensors that a mean over each sequence needs. */
export function poolingTensors(batch: Batch): Pick<BatchTensors, "meanWeights" | "sequences"> {
  const { rows, time, segmentsPerRow } = batch;
  const { weights, places } = meanWeights(batch);
  return {
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
  if (!isPacked && causal && !isPaddedBefore)
    return time === 1 ? undefined : biasOfValues(causalValues(time, time), [time, time]);
  const { values, shape } = visibleTokens(batch, { keys, causal });
  return biasOfValues(values, shape);
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

/** The tensors of a batch that a model of tokens needs. */
export interface TokenTensors {
  rows: number;
  time: number;
  /** `[rows * time]` */
  ids: Tensor1D;
  positions: Tensor1D;
  mask: AttentionMask | undefined;
}

interface TokenArrays {
  ids: Int32Array;
  positions: Int32Array;
}

/** Ids and positions as tensors, beside the other properties. */
export const idTensors = <S extends TokenArrays>(
  step: S,
): Omit<S, keyof TokenArrays> & Pick<TokenTensors, "ids" | "positions"> => ({
  ...step,
  ids: tf.tensor1d(step.ids, "int32"),
  positions: tf.tensor1d(step.positions, "int32"),
});

const tokenTensors = ({ rows, time, ids, positions }: Batch, mask: AttentionMask | undefined): TokenTensors =>
  idTensors({ rows, time, ids, positions, mask });

/** Of an encoder. */
export const encoderTensors = (batch: Batch): TokenTensors => tokenTensors(batch, attentionBias(batch));

/** Of a causal model. */
export const causalTensors = (batch: Batch): TokenTensors =>
  tokenTensors(batch, attentionBias(batch, { causal: true }));
