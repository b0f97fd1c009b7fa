import { type ExampleLengths, type LengthList, optionText } from "./lengths.ts";

/** The widths of a batch's rectangles. */
export interface Widths {
  time: number;
  widths?: Readonly<Record<string, number>>;
}

/** The widths given by a function of each name's lengths. */
export function widthsBy({ lists }: ExampleLengths, widthOf: (list: LengthList, index: number) => number): Widths {
  const each = lists.map(widthOf);
  const time = each.reduce((sum, width) => sum + width, 0);
  if (lists[0]!.name === undefined) return { time };
  return { time, widths: Object.fromEntries(lists.map(({ name }, l) => [name, each[l]!])) };
}

/** For each name the fullest of the rows, raised to a multiple, and never above the limit. */
export function longestWidths(
  rows: readonly (readonly number[])[],
  examples: ExampleLengths,
  padToMultipleOf = 1,
): Widths {
  return widthsBy(examples, (list) => {
    let longest = 0;
    for (const row of rows) longest = Math.max(longest, rowLength(row, list.lengths));
    return raised(longest, list, padToMultipleOf);
  });
}

/**
 * For each name its limit.
 *
 * @throws RangeError for a name without one
 */
export function limitWidths(examples: ExampleLengths): Widths {
  return widthsBy(examples, ({ name, limit }) => {
    if (limit < Number.POSITIVE_INFINITY) return limit;
    throw new RangeError(`${optionText("maxLength", name)} must be a positive integer, got none`);
  });
}

/** A length raised to a multiple, and never above the limit. */
export function raised(length: number, { limit }: Pick<LengthList, "limit">, padToMultipleOf: number): number {
  return Math.min(limit, Math.ceil(length / padToMultipleOf) * padToMultipleOf);
}

export function rowLength(row: readonly number[], lengths: Int32Array): number {
  let sum = 0;
  for (const i of row) sum += lengths[i]!;
  return sum;
}
