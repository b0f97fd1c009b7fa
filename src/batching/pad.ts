import { assemble, checkPadding, type PaddingOptions } from "./assemble.ts";
import type { Batch } from "./batch.ts";
import { featureWidth, withFeatures } from "./features.ts";
import { type PackOptions, packRows } from "./packing.ts";
import { type LengthLimit, type PlannedBatch, plan } from "./plan.ts";
import { lengthsOf, positiveInteger, type Sequence, type SequenceChecks, tokensOf } from "./sequences.ts";
import { dynamicLengthPlan } from "./strategies.ts";

export interface FixedPadOptions extends PaddingOptions, SequenceChecks {
  /** Length of every row, in tokens. */
  maxLength: number;
  truncate?: LengthLimit["truncate"];
}

/**
 * Lays every sequence out in a row of `maxLength` tokens, whatever its own length: one shape for all batches, and the
 * padding that comes with it.
 *
 * @throws RangeError naming the offending sequence's index
 */
export function fixedPad(sequences: readonly Sequence[], options: FixedPadOptions): Batch {
  const { maxLength } = options;
  positiveInteger("maxLength", maxLength);
  return oneBatch(sequences, options, (lengths) => [{ time: maxLength, rows: rowEach(lengths) }]);
}

export interface DynamicPadOptions extends PaddingOptions, SequenceChecks, LengthLimit {
  /** Raises the width to a multiple of it, within `maxLength`; 1 by default. */
  padToMultipleOf?: number;
}

/** Lays every sequence out in a row as long as the longest of them. */
export function dynamicPad(sequences: readonly Sequence[], options: DynamicPadOptions = {}): Batch {
  return oneBatch(sequences, options, (lengths) => {
    const whole = dynamicLengthPlan(lengths, { ...options, batchSize: lengths.length });
    return whole.epoch(0);
  });
}

/** Lays the sequences out several in a row, in as few rows of `maxLength` tokens as the algorithm finds. */
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
