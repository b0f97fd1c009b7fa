/**
 * Sequences laid out as one rectangle, `[rows, time]`, row by row. All batching strategies make this shape; they differ in
 * which sequences share a batch and in how much of the rectangle is padding.
 */
export interface Batch {
  rows: number;
  time: number;
  /** Token ids, `[rows, time]`; `paddingValue` on padding. */
  ids: Int32Array;
  /** Sequences of real numbers, `[rows, time, width]`, zeros on padding; their `ids` are all 0. */
  features?: Float32Array;
  /** 1 where there is a token, 0 on padding, `[rows, time]`. */
  mask: Uint8Array;
  /** Position of each token in its own sequence, from 0, `[rows, time]`; 0 on padding. */
  positions: Int32Array;
  /** Which sequence of its row each token belongs to, from 1, `[rows, time]`; 0 on padding. Above 1 only in packed rows. */
  segments: Int32Array;
  /** Most sequences in one row: 1 unless rows are packed. */
  segmentsPerRow: number;
  /** Number of tokens kept of each sequence, in the order of `indices`. */
  lengths: Int32Array;
  /** Index of each sequence in the list it comes from, row by row and segment by segment. */
  indices: Int32Array;
  /** The label of each sequence, in the order of `indices`, when the data has labels. */
  labels?: Float32Array;
  /** How many sequences lost tokens, and how many tokens were lost. */
  truncated: { sequences: number; tokens: number };
}

/** The number of tokens in a batch, padding not counted. */
export function usefulTokens(batch: Batch): number {
  return batch.lengths.reduce((sum, length) => sum + length, 0);
}

/** How much of a list of batches is padding. */
export interface PaddingStatistics {
  batches: number;
  sequences: number;
  /** Positions of all rectangles, padding included: what the model computes on. */
  slots: number;
  /** Tokens, padding not included. */
  useful: number;
  /** `1 - useful / slots`. */
  paddingShare: number;
  /** Number of distinct rectangles `[rows, time]`. */
  shapes: number;
  /** How many sequences lost tokens, and how many tokens were lost. */
  truncated: { sequences: number; tokens: number };
}

/**
 * How much of the given batches is padding.
 *
 * @throws RangeError when there is no batch
 */
export function paddingStatistics(batches: Iterable<Batch>): PaddingStatistics {
  const shapes = new Set<string>();
  const total: PaddingStatistics = {
    batches: 0,
    sequences: 0,
    slots: 0,
    useful: 0,
    paddingShare: 0,
    shapes: 0,
    truncated: { sequences: 0, tokens: 0 },
  };
  for (const batch of batches) {
    total.batches++;
    total.sequences += batch.lengths.length;
    total.slots += batch.rows * batch.time;
    total.useful += usefulTokens(batch);
    total.truncated.sequences += batch.truncated.sequences;
    total.truncated.tokens += batch.truncated.tokens;
    shapes.add(`${batch.rows}x${batch.time}`);
  }
  if (total.batches === 0) throw new RangeError("paddingStatistics: expected at least one batch, got none");
  return { ...total, shapes: shapes.size, paddingShare: 1 - total.useful / total.slots };
}
