import { checkPositiveInteger } from "../base/checks.ts";
import { checkLengths } from "./sequences.ts";

/** Which sequences make one rectangle, by their index in the list they come from. */
export interface PlannedBatch {
  /** Width of the rectangle, in tokens. */
  time: number;
  /** The sequences of each row: one unless rows are packed. */
  rows: readonly (readonly number[])[];
}

/**
 * Which sequences share a batch. A plan depends on lengths and a seed only, so it is the same on every machine, can be
 * resumed in the middle of an epoch, and gives the padding without reading a token.
 */
export interface Plan {
  /** The strategy's name, for figures and error messages. */
  strategy: string;
  /** Tokens that each sequence keeps: its length, or `maxLength` if that is less. */
  lengths: Int32Array;
  /** How many sequences lose tokens, and how many tokens are lost. */
  truncated: { sequences: number; tokens: number };
  /** The batches of the n-th epoch, from 0, in order. */
  epoch(index: number): readonly PlannedBatch[];
}

/** A position in the data of a training run: `batch` batches of epoch `epoch` are done. */
export interface DataCursor {
  epoch: number;
  batch: number;
}

/** Most tokens of a sequence, and which end of a longer one is cut. */
export interface LengthLimit {
  /** Most tokens kept of a sequence. No limit by default. */
  maxLength?: number;
  /** Which end of a sequence longer than `maxLength` is cut: `"end"` (the default), `"start"`, or `false` to throw. */
  truncate?: "end" | "start" | false;
}

/**
 * A plan from a function that gives the batches of one epoch. The last requested epoch is cached.
 *
 * @throws RangeError for an invalid length or limit, or when an epoch has no batches
 */
export function plan(
  strategy: string,
  lengths: ArrayLike<number>,
  limit: LengthLimit,
  batchesOf: (lengths: Int32Array, epoch: number) => PlannedBatch[],
): Plan {
  checkLengths(lengths);
  const { kept, truncated } = limited(lengths, limit);
  let last: { index: number; batches: PlannedBatch[] } | undefined;
  const epoch = (index: number) => {
    if (!Number.isInteger(index) || index < 0) {
      throw new RangeError(`epoch must be an integer of at least 0, got ${index}`);
    }
    if (last?.index !== index) last = { index, batches: batchesOf(kept, index) };
    if (last.batches.length === 0) {
      throw new RangeError(
        `dropLast leaves no batch of ${kept.length} sequences: lower batchSize, or keep the last batch`,
      );
    }
    return last.batches;
  };
  epoch(0);
  return { strategy, lengths: kept, truncated, epoch };
}

/** The planned batches from a position on, epoch after epoch, without end. */
export function* planFrom(
  source: Pick<Plan, "epoch">,
  cursor: DataCursor,
): Generator<{ cursor: DataCursor; batch: PlannedBatch }> {
  let { epoch, batch } = cursor;
  for (; ; epoch++, batch = 0) {
    const batches = source.epoch(epoch);
    for (; batch < batches.length; batch++) yield { cursor: { epoch, batch }, batch: batches[batch]! };
  }
}

function limited(lengths: ArrayLike<number>, { maxLength, truncate = "end" }: LengthLimit) {
  const truncated = { sequences: 0, tokens: 0 };
  if (maxLength === undefined) return { kept: Int32Array.from(lengths), truncated };
  checkPositiveInteger("maxLength", maxLength);
  const kept = Int32Array.from(lengths, (length, i) => {
    if (length <= maxLength) return length;
    if (truncate === false) {
      throw new RangeError(
        `sequence ${i} has ${length} tokens, but maxLength is ${maxLength}: raise it, or set truncate`,
      );
    }
    truncated.sequences++;
    truncated.tokens += length - maxLength;
    return maxLength;
  });
  return { kept, truncated };
}
