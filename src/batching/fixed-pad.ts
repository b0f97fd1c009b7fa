import type { Batch } from "./batch.ts";

export interface FixedPadOptions {
  /** Length of every row, in tokens. */
  maxLength: number;
  /** The id on padding; 0 by default. */
  paddingValue?: number;
  /**
   * What to do with a sequence that is longer than `maxLength`: keep its beginning (`"end"` is cut, the default), keep
   * its end (`"start"` is cut), or `false` to throw.
   */
  truncate?: "end" | "start" | false;
  /** Where the padding goes: after the tokens (`"right"`, the default) or before them. */
  side?: "right" | "left";
}

/**
 * Lays every sequence out in a row of `maxLength` tokens, whatever its own length: one shape for all batches, and the
 * padding that comes with it.
 *
 * @throws RangeError naming the offending sequence's index
 */
export function fixedPad(sequences: readonly ArrayLike<number>[], options: FixedPadOptions): Batch {
  const { maxLength, paddingValue = 0, truncate = "end", side = "right" } = options;
  if (!Number.isInteger(maxLength) || maxLength < 1) {
    throw new RangeError(`maxLength must be a positive integer, got ${maxLength}`);
  }
  if (!Number.isInteger(paddingValue)) throw new RangeError(`paddingValue must be an integer, got ${paddingValue}`);
  checkSequences(sequences);

  const rows = sequences.length;
  const time = maxLength;
  const batch: Batch = {
    rows,
    time,
    ids: new Int32Array(rows * time).fill(paddingValue),
    mask: new Uint8Array(rows * time),
    positions: new Int32Array(rows * time),
    segments: new Int32Array(rows * time),
    segmentsPerRow: 1,
    lengths: new Int32Array(rows),
    indices: Int32Array.from({ length: rows }, (_, row) => row),
    truncated: { sequences: 0, tokens: 0 },
  };
  sequences.forEach((sequence, row) => {
    const kept = Math.min(sequence.length, time);
    const lost = sequence.length - kept;
    if (lost > 0 && truncate === false) {
      throw new RangeError(
        `sequence ${row} has ${sequence.length} tokens and maxLength is ${maxLength}: raise it, or set truncate`,
      );
    }
    if (lost > 0) batch.truncated.sequences++;
    batch.truncated.tokens += lost;
    batch.lengths[row] = kept;
    const from = truncate === "start" ? lost : 0;
    const to = row * time + (side === "left" ? time - kept : 0);
    for (let t = 0; t < kept; t++) {
      batch.ids[to + t] = sequence[from + t]!;
      batch.mask[to + t] = 1;
      batch.positions[to + t] = t;
      batch.segments[to + t] = 1;
    }
  });
  return batch;
}

/** @throws RangeError on an empty list, an empty sequence or a token that is not a whole number, with its index */
function checkSequences(sequences: readonly ArrayLike<number>[]): void {
  if (sequences.length === 0) throw new RangeError("no sequences: a batch needs at least one");
  for (let i = 0; i < sequences.length; i++) {
    const sequence = sequences[i]!;
    if (!(sequence.length > 0)) throw new RangeError(`sequence ${i} is empty: drop it, or give it at least one token`);
    if (sequence instanceof Int32Array || sequence instanceof Uint8Array || sequence instanceof Uint16Array) continue;
    for (let t = 0; t < sequence.length; t++) {
      if (!Number.isInteger(sequence[t])) {
        throw new RangeError(`sequence ${i} has ${sequence[t]} at token ${t}: tokens are integer ids`);
      }
    }
  }
}
