/**
 * Sequences laid out as one rectangle, `[rows, time]`, row by row. Every strategy of this folder makes this shape; they
 * differ in which sequences share a batch and in how much of the rectangle is padding.
 */
export interface Batch {
  rows: number;
  time: number;
  /** Token ids `[rows, time]`, `paddingValue` where there is no token. */
  ids: Int32Array;
  /** Of sequences of real numbers: `[rows, time, width]`, zeros on padding; their ids say nothing. */
  features?: Float32Array;
  /** 1 where there is a token, 0 on padding, `[rows, time]`. */
  mask: Uint8Array;
  /** Place of each token in its own sequence, from 0, `[rows, time]`; 0 on padding. */
  positions: Int32Array;
  /** Which sequence of its row each token belongs to, from 1, `[rows, time]`; 0 on padding. Above 1 only in packed rows. */
  segments: Int32Array;
  /** Most sequences in one row: 1 unless rows are packed. */
  segmentsPerRow: number;
  /** Tokens kept of each sequence, in the order of `indices`. */
  lengths: Int32Array;
  /** Which sequences these are, by their place in the list they came from. Row by row, segment by segment. */
  indices: Int32Array;
  /** The label of each sequence, in the order of `indices`, when the data has labels. */
  labels?: Float32Array;
  /** How many sequences lost tokens, and how many tokens were lost. */
  truncated: { sequences: number; tokens: number };
}

/** Tokens in the batch that are not padding. */
export function usefulTokens(batch: Batch): number {
  return batch.lengths.reduce((sum, length) => sum + length, 0);
}

export interface PaddingStatistics {
  batches: number;
  sequences: number;
  /** Cells of all rectangles, padding included: what the model computes on. */
  cells: number;
  useful: number;
  /** `1 - useful / cells`. */
  paddingShare: number;
  /** Different rectangles `[rows, time]` met. */
  shapes: number;
  truncated: { sequences: number; tokens: number };
}

/** What a list of batches costs in padding. */
export function paddingStatistics(batches: Iterable<Batch>): PaddingStatistics {
  const shapes = new Set<string>();
  const total: PaddingStatistics = {
    batches: 0,
    sequences: 0,
    cells: 0,
    useful: 0,
    paddingShare: 0,
    shapes: 0,
    truncated: { sequences: 0, tokens: 0 },
  };
  for (const batch of batches) {
    total.batches++;
    total.sequences += batch.lengths.length;
    total.cells += batch.rows * batch.time;
    total.useful += usefulTokens(batch);
    total.truncated.sequences += batch.truncated.sequences;
    total.truncated.tokens += batch.truncated.tokens;
    shapes.add(`${batch.rows}x${batch.time}`);
  }
  if (total.batches === 0) throw new RangeError("paddingStatistics needs at least one batch");
  return { ...total, shapes: shapes.size, paddingShare: 1 - total.useful / total.cells };
}
