import type { Batch } from "./batch.ts";
import type { PlannedBatch } from "./plan.ts";

/** How sequences are padded and truncated. */
export interface PaddingOptions {
  /** The id on padding, an integer; 0 by default. */
  paddingValue?: number;
  /** Where the padding goes: after the tokens (`"right"`, the default) or before them. */
  side?: "right" | "left";
  /** Which end of a sequence longer than the limit is cut; `"end"` by default. */
  truncate?: "end" | "start" | false;
}

/**
 * Lays the sequences of a planned batch out as one rectangle, `[rows, time]`. `keptLength` gives the number of tokens that the
 * plan keeps of a sequence.
 */
export function assemble(
  { time, rows }: PlannedBatch,
  tokens: (index: number) => ArrayLike<number>,
  keptLength: (index: number) => number,
  { paddingValue = 0, side = "right", truncate = "end" }: PaddingOptions,
): Batch {
  const sequences = rows.reduce((sum, row) => sum + row.length, 0);
  const slots = rows.length * time;
  const batch: Batch = {
    rows: rows.length,
    time,
    ids: new Int32Array(slots),
    mask: new Uint8Array(slots),
    positions: new Int32Array(slots),
    segments: new Int32Array(slots),
    segmentsPerRow: rows.reduce((most, row) => Math.max(most, row.length), 1),
    lengths: new Int32Array(sequences),
    indices: new Int32Array(sequences),
    truncated: { sequences: 0, tokens: 0 },
  };
  if (paddingValue !== 0) batch.ids.fill(paddingValue);
  let n = 0;
  rows.forEach((row, r) => {
    let at = r * time;
    if (side === "left") at += time - row.reduce((sum, i) => sum + keptLength(i), 0);
    row.forEach((i, s) => {
      const sequence = tokens(i);
      const length = keptLength(i);
      const lost = sequence.length - length;
      if (lost > 0) batch.truncated.sequences++;
      batch.truncated.tokens += lost;
      batch.lengths[n] = length;
      batch.indices[n++] = i;
      const from = truncate === "start" ? lost : 0;
      for (let t = 0; t < length; t++) {
        batch.ids[at + t] = sequence[from + t]!;
        batch.positions[at + t] = t;
      }
      batch.mask.fill(1, at, at + length);
      batch.segments.fill(s + 1, at, at + length);
      at += length;
    });
  });
  return batch;
}

/** @throws RangeError when the id on padding is not an integer */
export function checkPadding({ paddingValue = 0 }: PaddingOptions): void {
  if (!Number.isInteger(paddingValue)) throw new RangeError(`paddingValue must be an integer, got ${paddingValue}`);
}
