import type { Batch } from "./batch.ts";
import { checkNames, optionText, type PerName, valueFor } from "./lengths.ts";
import type { PlannedBatch } from "./plan.ts";

/** How sequences are padded and truncated. */
export interface PaddingOptions<N extends string = never> {
  /** The id on padding, an integer; 0 by default. */
  paddingValue?: PerName<number, N>;
  /** Where the padding goes: after the tokens (`"right"`, the default) or before them. */
  side?: PerName<"right" | "left", N>;
  /** Which end of a sequence longer than the limit is cut; `"end"` by default. */
  truncate?: PerName<"end" | "start" | false, N>;
}

/** The padding of one rectangle. */
export interface RectanglePadding {
  paddingValue: number;
  side: "right" | "left";
  truncate: "end" | "start" | false;
}

/** The sequences that a rectangle can have, by their index. */
export interface SequenceSource {
  tokens(index: number): ArrayLike<number>;
  /** Absent without labels of tokens. */
  tokenLabels?: ((index: number) => ArrayLike<number>) | undefined;
  /** Absent without type ids. */
  typeIds?: ((index: number) => ArrayLike<number>) | undefined;
  /** The number of tokens that the plan keeps of each sequence. */
  kept: Int32Array;
}

/** The token label on padding, which losses ignore: PyTorch's `ignore_index`. */
const IGNORED = -100;

/** Lays the sequences of a planned rectangle out, `[rows, time]`. */
export function assemble(
  { time, rows }: Pick<PlannedBatch, "time" | "rows">,
  { tokens, tokenLabels, typeIds, kept }: SequenceSource,
  { paddingValue, side, truncate }: RectanglePadding,
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
    ...(tokenLabels ? { tokenLabels: new Int32Array(slots).fill(IGNORED) } : {}),
    ...(typeIds ? { typeIds: new Int32Array(slots) } : {}),
  };
  if (paddingValue !== 0) batch.ids.fill(paddingValue);
  let n = 0;
  rows.forEach((row, r) => {
    let at = r * time;
    if (side === "left") at += time - row.reduce((sum, i) => sum + kept[i]!, 0);
    row.forEach((i, s) => {
      const sequence = tokens(i);
      const labels = tokenLabels?.(i);
      const types = typeIds?.(i);
      const length = kept[i]!;
      const lost = sequence.length - length;
      if (lost > 0) batch.truncated.sequences++;
      batch.truncated.tokens += lost;
      batch.lengths[n] = length;
      batch.indices[n++] = i;
      const from = truncate === "start" ? lost : 0;
      for (let t = 0; t < length; t++) {
        batch.ids[at + t] = sequence[from + t]!;
        batch.positions[at + t] = t;
        if (labels) batch.tokenLabels![at + t] = labels[from + t]!;
        if (types) batch.typeIds![at + t] = types[from + t]!;
      }
      batch.mask.fill(1, at, at + length);
      batch.segments.fill(s + 1, at, at + length);
      at += length;
    });
  });
  return batch;
}

/**
 * The padding of the rectangle of a name.
 *
 * @throws RangeError when the id on padding is not an integer
 */
export function paddingOf(options: PaddingOptions<string>, name: string | undefined): RectanglePadding {
  const paddingValue = valueFor(options.paddingValue, name) ?? 0;
  if (!Number.isInteger(paddingValue)) {
    throw new RangeError(`${optionText("paddingValue", name)} must be an integer, got ${paddingValue}`);
  }
  return {
    paddingValue,
    side: valueFor(options.side, name) ?? "right",
    truncate: valueFor(options.truncate, name) ?? "end",
  };
}

/** @throws TypeError for an option with a value for a name that the examples do not have */
export function checkPaddingNames(options: PaddingOptions<string>, names: readonly (string | undefined)[]): void {
  for (const option of ["paddingValue", "side", "truncate"] as const) checkNames(option, options[option], names);
}
