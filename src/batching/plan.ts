import { type ExampleLengths, type LengthLimit, type Lengths, limitLengths } from "./lengths.ts";
import { longestWidths } from "./widths.ts";

/** Which examples make one rectangle, or one for each name, by their index in the list they come from. */
export interface PlannedBatch {
  /** Width of the rectangle, in tokens; the sum of the widths where there are several. */
  time: number;
  /** Width of each name's rectangle, where an example has several sequences. */
  widths?: Readonly<Record<string, number>>;
  /** The examples of each row: one unless rows are packed. */
  rows: readonly (readonly number[])[];
}

/**
 * Which examples share a batch. A plan depends on lengths and a seed only, so it is the same on every machine, can be
 * resumed in the middle of an epoch, and gives the padding without reading a token.
 */
export interface Plan {
  /** The strategy's name, for figures and error messages. */
  strategy: string;
  /** Tokens that each example keeps: its length, or `maxLength` if that is less; the sum where it has several sequences. */
  lengths: Int32Array;
  /** Tokens that each example keeps, by name, where an example has several sequences. */
  lengthsByName?: Readonly<Record<string, Int32Array>>;
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

/**
 * A plan from a function that gives the batches of one epoch. The last requested epoch is cached. Where examples have several
 * sequences, the function gets the sum of an example's lengths; a batch without `widths` gets the longest of each name.
 *
 * @throws RangeError for an invalid length or limit, or when an epoch has no batches
 */
export function plan(
  strategy: string,
  lengths: Lengths,
  limit: LengthLimit<string>,
  batchesOf: (lengths: Int32Array, epoch: number) => PlannedBatch[],
): Plan {
  return planExamples(strategy, lengths, limit, (examples, epoch) =>
    batchesOf(examples.total, epoch).map((batch) => withWidths(batch, examples)),
  );
}

function withWidths(batch: PlannedBatch, examples: ExampleLengths): PlannedBatch {
  if (examples.lists[0]!.name === undefined || batch.widths) return batch;
  return { ...batch, ...longestWidths(batch.rows, examples) };
}

/** As `plan`, from a function of the lengths of all names. */
export function planExamples(
  strategy: string,
  lengths: Lengths,
  limit: LengthLimit<string>,
  batchesOf: (examples: ExampleLengths, epoch: number) => PlannedBatch[],
): Plan {
  const examples = limitLengths(lengths, limit);
  const { lists, total, truncated } = examples;
  let last: { index: number; batches: PlannedBatch[] } | undefined;
  const epoch = (index: number) => {
    if (!Number.isInteger(index) || index < 0) {
      throw new RangeError(`epoch must be an integer of at least 0, got ${index}`);
    }
    if (last?.index !== index) last = { index, batches: batchesOf(examples, index) };
    if (last.batches.length === 0) {
      throw new RangeError(
        `dropLast leaves no batch of ${total.length} examples: lower batchSize, or keep the last batch`,
      );
    }
    return last.batches;
  };
  epoch(0);
  if (lists[0]!.name === undefined) return { strategy, lengths: total, truncated, epoch };
  const lengthsByName = Object.fromEntries(lists.map((list) => [list.name, list.lengths]));
  return { strategy, lengths: total, lengthsByName, truncated, epoch };
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
