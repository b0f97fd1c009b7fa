import { checkPositiveInteger } from "../base/checks.ts";
import { assemble, checkPadding, type PaddingOptions } from "./assemble.ts";
import type { Batch } from "./batch.ts";
import { featureWidth, withFeatures } from "./features.ts";
import { type PackOptions, packRows } from "./packing.ts";
import { type LengthLimit, type PlannedBatch, plan } from "./plan.ts";
import { lengthsOf, type Sequence, type SequenceChecks, tokensOf } from "./sequences.ts";
import { dynamicLengthPlan } from "./strategies.ts";

/** Options of `fixedPad`. */
export interface FixedPadOptions extends PaddingOptions, SequenceChecks {
  /** Length of every row, in tokens. */
  maxLength: number;
  /** Which end of a longer sequence is cut: `"end"` (the default), `"start"`, or `false` to throw. */
  truncate?: LengthLimit["truncate"];
}

/**
 * Pads or truncates every sequence to `maxLength` tokens and gives them as one batch, `[sequences, maxLength]`.
 *
 * @throws RangeError for an invalid option or sequence, with the sequence's index
 */
export function fixedPad(sequences: readonly Sequence[], options: FixedPadOptions): Batch {
  const { maxLength } = options;
  checkPositiveInteger("maxLength", maxLength);
  return oneBatch(sequences, options, (lengths) => [{ time: maxLength, rows: rowEach(lengths) }]);
}

/** Options of `dynamicPad`. */
export interface DynamicPadOptions extends PaddingOptions, SequenceChecks, LengthLimit {
  /** Raises the width to a multiple of this, up to `maxLength`; 1 by default. */
  padToMultipleOf?: number;
}

/**
 * Pads every sequence to the longest one and gives them as one batch, `[sequences, longest]`.
 *
 * @throws RangeError for an invalid option or sequence, with the sequence's index
 */
export function dynamicPad(sequences: readonly Sequence[], options: DynamicPadOptions = {}): Batch {
  return oneBatch(sequences, options, (lengths) => {
    const whole = dynamicLengthPlan(lengths, { ...options, batchSize: lengths.length });
    return whole.epoch(0);
  });
}

/**
 * Packs the sequences into as few rows of `maxLength` tokens as the algorithm finds, `[rows, maxLength]` (Krell et al. 2021).
 *
 * @throws RangeError for an invalid option or sequence, with the sequence's index
 */
export function pack(
  sequences: readonly Sequence[],
  options: FixedPadOptions & PackOptions & { padTo?: "maxLength" | "longest" },
): Batch {
  const { maxLength, padTo = "maxLength" } = options;
  return oneBatch(sequences, options, (lengths) => {
    const rows = packRows(lengths, options, undefined);
    const fullest = rows.map((row) => row.reduce((sum, i) => sum + lengths[i]!, 0));
    return [{ time: padTo === "maxLength" ? maxLength : Math.max(...fullest), rows }];
  });
}

function oneBatch(
  sequences: readonly Sequence[],
  options: PaddingOptions & SequenceChecks & LengthLimit,
  planned: (lengths: Int32Array) => readonly PlannedBatch[],
): Batch {
  checkPadding(options);
  const { lengths, epoch } = plan("one batch", lengthsOf(sequences, options), options, (kept) => [...planned(kept)]);
  const batch = assemble(
    epoch(0)[0]!,
    (i) => tokensOf(sequences[i]!),
    (i) => lengths[i]!,
    options,
  );
  return withFeatures(batch, sequences, featureWidth(sequences), options);
}

function rowEach(lengths: Int32Array): number[][] {
  return Array.from(lengths, (_, i) => [i]);
}
