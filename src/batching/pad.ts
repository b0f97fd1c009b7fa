import { checkPositiveInteger } from "../base/checks.ts";
import type { PaddingOptions } from "./assemble.ts";
import { batchMaker } from "./batch-maker.ts";
import { type BatchOf, type Examples, type NameOf, partLengths, partsOf } from "./examples.ts";
import type { ExampleLengths, LengthLimit, PerName } from "./lengths.ts";
import { type PackOptions, packRows } from "./packing.ts";
import { type PlannedBatch, planExamples } from "./plan.ts";
import type { SequenceChecks } from "./sequences.ts";
import { limitWidths, longestWidths } from "./widths.ts";

/** Options of `fixedPad`. */
export interface FixedPadOptions<N extends string = never> extends PaddingOptions<N>, SequenceChecks<N> {
  /** Length of every row, in tokens. */
  maxLength: PerName<number, N>;
  /** Which end of a longer sequence is cut: `"end"` (the default), `"start"`, or `false` to throw. */
  truncate?: LengthLimit<N>["truncate"];
}

/**
 * Pads or truncates every sequence to `maxLength` tokens and gives them as one batch, `[sequences, maxLength]`.
 *
 * @throws RangeError for an invalid option or sequence, with the sequence's index
 */
export function fixedPad<L extends readonly object[]>(
  examples: Examples<L>,
  options: FixedPadOptions<NameOf<L[number]>>,
): BatchOf<L[number]> {
  return oneBatch(examples, options, (lengths) => ({ ...limitWidths(lengths), rows: rowEach(lengths) }));
}

/** Options of `dynamicPad`. */
export interface DynamicPadOptions<N extends string = never>
  extends PaddingOptions<N>,
    SequenceChecks<N>,
    LengthLimit<N> {
  /** Raises the width to a multiple of this, up to `maxLength`; 1 by default. */
  padToMultipleOf?: number;
}

/**
 * Pads every sequence to the longest one and gives them as one batch, `[sequences, longest]`.
 *
 * @throws RangeError for an invalid option or sequence, with the sequence's index
 */
export function dynamicPad<L extends readonly object[]>(
  examples: Examples<L>,
  options: DynamicPadOptions<NameOf<L[number]>> = {},
): BatchOf<L[number]> {
  const { padToMultipleOf = 1 } = options;
  checkPositiveInteger("padToMultipleOf", padToMultipleOf);
  return oneBatch(examples, options, (lengths) => {
    const rows = rowEach(lengths);
    return { ...longestWidths(rows, lengths, padToMultipleOf), rows };
  });
}

/**
 * Packs the sequences into as few rows of `maxLength` tokens as the algorithm finds, `[rows, maxLength]` (Krell et al. 2021).
 *
 * @throws RangeError for an invalid option or sequence, with the sequence's index
 */
export function pack<L extends readonly object[]>(
  examples: Examples<L>,
  options: FixedPadOptions<NameOf<L[number]>> & PackOptions<NameOf<L[number]>> & { padTo?: "maxLength" | "longest" },
): BatchOf<L[number]> {
  const { padTo = "maxLength" } = options;
  return oneBatch(examples, options, (lengths) => {
    const rows = packRows(lengths, options, undefined);
    return { ...(padTo === "maxLength" ? limitWidths(lengths) : longestWidths(rows, lengths)), rows };
  });
}

function oneBatch<L extends readonly object[]>(
  examples: Examples<L>,
  options: PaddingOptions<string> & SequenceChecks<string> & LengthLimit<string>,
  planned: (lengths: ExampleLengths) => PlannedBatch,
): BatchOf<L[number]> {
  const parts = partsOf(examples);
  const plan = planExamples("one batch", partLengths(parts, options), options, (lengths) => [planned(lengths)]);
  return batchMaker(examples, parts, plan, options)(plan.epoch(0)[0]!) as BatchOf<L[number]>;
}

function rowEach({ total }: ExampleLengths): number[][] {
  return Array.from(total, (_, i) => [i]);
}
