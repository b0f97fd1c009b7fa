/** What every batch has, of sequences or of other data: which examples it consists of. */
export interface ExampleBatch {
  /** Index of each example in the data it comes from. */
  indices: Int32Array;
}

/** A batch whose examples may have labels. */
export interface LabelledBatch extends ExampleBatch {
  /** The label of each example, in the order of `indices`, when the data has labels; vectors end to end. */
  labels?: Float32Array;
  /** Numbers of a label, when labels are vectors. */
  labelWidth?: number;
}

/**
 * Sequences laid out as one rectangle, `[rows, time]`, row by row. All batching strategies make this shape; they differ in
 * which sequences share a batch and in how much of the rectangle is padding.
 */
export interface Batch extends LabelledBatch {
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
  /** The label of each token, `[rows, time]`, when the data has labels of tokens; -100 on padding (PyTorch's `ignore_index`). */
  tokenLabels?: Int32Array;
  /** Which text of a pair each token is of, `[rows, time]`, when the data says so (`token_type_ids`); 0 on padding. */
  typeIds?: Int32Array;
  /** How many sequences lost tokens, and how many tokens were lost. */
  truncated: { sequences: number; tokens: number };
}

/** The number of tokens in a batch, padding not counted. */
export function usefulTokens(batch: Batch): number {
  return batch.lengths.reduce((sum, length) => sum + length, 0);
}

/** Positions of a batch, and how many of them are tokens. */
export interface BatchSizes {
  /** Positions of all its rectangles, padding included: what a model computes on. */
  slots: number;
  /** Tokens, padding not included. */
  useful: number;
}

/**
 * The positions and tokens of any batch: of one rectangle, or of all rectangles of a batch with several sequences an example. In a
 * batch without sequences each example counts as one token.
 */
export function batchSizes(batch: ExampleBatch): BatchSizes {
  const rectangles = rectanglesOf(batch);
  if (rectangles.length === 0) return { slots: batch.indices.length, useful: batch.indices.length };
  return {
    slots: rectangles.reduce((sum, { rows, time }) => sum + rows * time, 0),
    useful: rectangles.reduce((sum, rectangle) => sum + usefulTokens(rectangle), 0),
  };
}

/** The rectangles of a batch: itself, or one for each name; none where the data has no sequences. */
export function rectanglesOf(batch: ExampleBatch): Batch[] {
  if (isRectangle(batch)) return [batch];
  // Only values that are there: reading a name of a batch of arrays makes its tensor.
  const properties = Object.values(Object.getOwnPropertyDescriptors(batch)) as TypedPropertyDescriptor<unknown>[];
  return properties.map(({ value }) => value).filter(isRectangle);
}

/** Whether a value is one rectangle of sequences. */
export function isRectangle(value: unknown): value is Batch {
  return typeof value === "object" && value !== null && "mask" in value && "segments" in value;
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
export function paddingStatistics(batches: Iterable<ExampleBatch>): PaddingStatistics {
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
    const rectangles = rectanglesOf(batch);
    const { slots, useful } = batchSizes(batch);
    total.batches++;
    total.sequences += batch.indices.length;
    total.slots += slots;
    total.useful += useful;
    for (const { truncated } of rectangles) {
      total.truncated.sequences += truncated.sequences;
      total.truncated.tokens += truncated.tokens;
    }
    shapes.add(rectangles.map(({ rows, time }) => `${rows}x${time}`).join(" ") || `${batch.indices.length}`);
  }
  if (total.batches === 0) throw new RangeError("paddingStatistics: expected at least one batch, got none");
  return { ...total, shapes: shapes.size, paddingShare: 1 - total.useful / total.slots };
}
