// A part of a batch of sequences.
import { type Batch, isRectangle } from "../batching/batch.ts";

/**
 * The first rows of a batch of sequences, or of every rectangle of a batch with several sequences an example.
 *
 * @throws TypeError for a batch without sequences
 */
export function firstRows<B>(batch: B, rows: number): B {
  if (isRectangle(batch)) return rectangle(batch, rows) as B;
  const entries = Object.entries(batch as object).map(([key, value]) => [
    key,
    isRectangle(value) ? rectangle(value, rows) : ArrayBuffer.isView(value) ? firstOf(value, rows) : value,
  ]);
  if (entries.some(([, value]) => isRectangle(value))) return Object.fromEntries(entries) as B;
  throw new TypeError(noSequences);
}

/**
 * The number of rows of a batch of sequences.
 *
 * @throws TypeError for a batch without sequences
 */
export function rowsOf(batch: unknown): number {
  const found = isRectangle(batch) ? batch : Object.values((batch ?? {}) as object).find(isRectangle);
  if (found) return found.rows;
  throw new TypeError(noSequences);
}

const noSequences = "the batch has no sequences, of which a part could be taken";

function rectangle(batch: Batch, rows: number): Batch {
  const { time, segments, labelWidth = 1, features } = batch;
  const tokens = rows * time;
  const count = batch.segmentsPerRow === 1 ? rows : sequencesIn(segments.subarray(0, tokens), time);
  const { ids, mask, positions, tokenLabels, typeIds, labels, lengths, indices } = batch;
  return {
    ...batch,
    rows,
    ...{ ids: firstOf(ids, tokens), mask: firstOf(mask, tokens), positions: firstOf(positions, tokens) },
    segments: firstOf(segments, tokens),
    ...(tokenLabels && { tokenLabels: firstOf(tokenLabels, tokens) }),
    ...(typeIds && { typeIds: firstOf(typeIds, tokens) }),
    ...(features && { features: firstOf(features, (features.length / batch.rows) * rows) }),
    ...(labels && { labels: firstOf(labels, count * labelWidth) }),
    ...{ lengths: firstOf(lengths, count), indices: firstOf(indices, count) },
  };
}

/** The sequences of packed rows; those of a row are numbered from 1. */
function sequencesIn(segments: Int32Array, time: number): number {
  let count = 0;
  for (let from = 0; from < segments.length; from += time) count += Math.max(...segments.subarray(from, from + time));
  return count;
}

const firstOf = <T extends ArrayBufferView>(values: T, count: number): T =>
  (values as unknown as { slice(from: number, to: number): T }).slice(0, count);
