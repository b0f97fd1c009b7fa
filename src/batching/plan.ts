import { checkLengths, positiveInteger } from "./sequences.ts";

/** Which sequences make one rectangle, by their place in the list they come from. */
export interface PlannedBatch {
  /** Width of the rectangle, in tokens. */
  time: number;
  /** The sequences of each row: one, unless rows are packed. */
  rows: readonly (readonly number[])[];
}

/**
 * Which sequences share a batch, made from their lengths and a seed alone: the same on every machine, and possible to
 * take up in the middle. Padding follows from it, without a token having been read.
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

/** A place in the training: `batch` batches of epoch `epoch` are done. */
export interface Place {
  epoch: number;
  batch: number;
}

export interface LengthLimit {
  /** Tokens beyond it are cut off. No limit by default. */
  maxLength?: number;
  /**
   * What to do with a sequence that is longer than `maxLength`: keep its beginning (`"end"` is cut, the default), keep
   * its end (`"start"` is cut), or `false` to throw.
   */
  truncate?: "end" | "start" | false;
}

/** A plan from a function that gives the batches of one epoch. The last epoch asked for is remembered. */
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
    if (!Number.isInteger(index) || index < 0) throw new RangeError(`epoch must be 0 or more, got ${index}`);
    if (last?.index !== index) last = { index, batches: batchesOf(kept, index) };
    if (last.batches.length === 0) {
      throw new RangeError(
        `dropLast leaves nothing of ${kept.length} sequences: lower batchSize, or keep the last batch`,
      );
    }
    return last.batches;
  };
  epoch(0);
  return { strategy, lengths: kept, truncated, epoch };
}

/** The planned batches from a place on, epoch after epoch, without end. */
export function* planFrom(source: Pick<Plan, "epoch">, place: Place): Generator<{ place: Place; batch: PlannedBatch }> {
  let { epoch, batch } = place;
  for (; ; epoch++, batch = 0) {
    const batches = source.epoch(epoch);
    for (; batch < batches.length; batch++) yield { place: { epoch, batch }, batch: batches[batch]! };
  }
}

function limited(lengths: ArrayLike<number>, { maxLength, truncate = "end" }: LengthLimit) {
  const truncated = { sequences: 0, tokens: 0 };
  if (maxLength === undefined) return { kept: Int32Array.from(lengths), truncated };
  positiveInteger("maxLength", maxLength);
  const kept = Int32Array.from(lengths, (length, i) => {
    if (length <= maxLength) return length;
    if (truncate === false) {
      throw new RangeError(
        `sequence ${i} has ${length} tokens and maxLength is ${maxLength}: raise it, or set truncate`,
      );
    }
    truncated.sequences++;
    truncated.tokens += length - maxLength;
    return maxLength;
  });
  return { kept, truncated };
}
