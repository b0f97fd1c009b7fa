import { checkPositiveInteger } from "../base/checks.ts";
import type { Random } from "../data/random.ts";
import {
  type ExampleLengths,
  type LengthLimit,
  type LengthRule,
  type Lengths,
  type PerName,
  ruleLengths,
} from "./lengths.ts";
import { chunks, epochRandom, type GroupingOptions, ordered } from "./order.ts";
import { type Plan, planExamples } from "./plan.ts";
import { limitWidths, longestWidths } from "./widths.ts";

/** How examples are packed into rows. */
export interface PackOptions<N extends string = never> {
  /** Most tokens in a row, of each name where an example has several sequences. */
  maxLength: PerName<number, N>;
  /**
   * `"shortest-pack-first"`, the default, takes the longest sequences first and puts each into the emptiest row where it fits
   * (Krell et al. 2021, SPFHP). `"first-fit"` puts each sequence, in the given order, into the first row with room, so that
   * neighbours are random.
   */
  algorithm?: "first-fit" | "shortest-pack-first";
  /** Most examples in a row; no limit by default. */
  maxSequencesPerRow?: number;
  /** Which length counts where an example has several sequences: `"sum"` by default. */
  by?: LengthRule<N>;
}

/** Options of `packedPlan`. */
export interface PackedPlanOptions<N extends string = never>
  extends LengthLimit<N>,
    PackOptions<N>,
    Pick<GroupingOptions<N>, "seed" | "longestFirst" | "shuffleBatches"> {
  maxLength: PerName<number, N>;
  /** Rows in a batch. */
  batchSize: number;
  /** Leaves out a last batch that is smaller than the others; false by default. */
  dropLast?: boolean;
  /** Width of a batch: always `maxLength` (the default, one shape), or its fullest row. */
  padTo?: "maxLength" | "longest";
}

/**
 * Packs several examples into each row (Krell et al. 2021). Attention stays within a sequence and positions start at 0, so
 * that the model sees each sequence alone. Where an example has several sequences, the rectangles of all names have the same
 * examples in each row, so that attention between two of them stays within an example, too.
 *
 * @throws RangeError for an invalid length or option
 */
export function packedPlan(lengths: Lengths, options: PackedPlanOptions<string>): Plan {
  const { batchSize, seed, dropLast = false, padTo = "maxLength" } = options;
  checkPositiveInteger("batchSize", batchSize);
  const strategy = options.algorithm === "first-fit" ? "packed, first fit" : "packed";
  return planExamples(strategy, lengths, options, (examples, epoch) => {
    const rng = epochRandom(seed, epoch);
    const packed = packRows(examples, options, rng);
    const parts = chunks(rng ? rng.shuffle(packed) : packed, batchSize);
    const whole = dropLast ? parts.filter(({ length }) => length === batchSize) : parts;
    return ordered(
      whole.map((rows) => ({
        ...(padTo === "maxLength" ? limitWidths(examples) : longestWidths(rows, examples)),
        rows,
      })),
      undefined,
      options,
    );
  });
}

/** Which examples share a row. Each name needs a limit. */
export function packRows(
  examples: ExampleLengths,
  options: Omit<PackOptions<string>, "maxLength">,
  rng: Random | undefined,
): number[][] {
  const { algorithm = "shortest-pack-first", maxSequencesPerRow = Number.POSITIVE_INFINITY } = options;
  limitWidths(examples);
  if (maxSequencesPerRow !== Number.POSITIVE_INFINITY) checkPositiveInteger("maxSequencesPerRow", maxSequencesPerRow);
  const order = Array.from(examples.total, (_, i) => i);
  const drawn = rng ? rng.shuffle(order) : order;
  if (algorithm === "first-fit") return firstFit(drawn, examples, maxSequencesPerRow);
  const counted = ruleLengths(examples, options.by);
  return shortestPackFirst(
    drawn.toSorted((a, b) => counted[b]! - counted[a]!),
    examples,
    maxSequencesPerRow,
  );
}

/** Rows of one total room that are tried for an example that does not fit in all names. */
const TRIES = 64;

interface Row {
  members: number[];
  /** Of each name. */
  room: number[];
}

/**
 * Worst-fit of the examples in order. Rows are indexed by the room they have left over all names, so the cost of an example
 * does not depend on the number of rows.
 */
function shortestPackFirst(order: readonly number[], { lists, total }: ExampleLengths, most: number): number[][] {
  const rows: Row[] = [];
  const capacity = lists.reduce((sum, { limit }) => sum + limit, 0);
  const byRoom: Row[][] = Array.from({ length: capacity + 1 }, () => []);
  let roomiest = 0;
  for (const i of order) {
    const fits = ({ room }: Row) => lists.every(({ lengths }, l) => lengths[i]! <= room[l]!);
    while (roomiest > 0 && byRoom[roomiest]!.length === 0) roomiest--;
    let row: Row | undefined;
    for (let room = roomiest; room >= total[i]! && !row; room--) row = takeLast(byRoom[room]!, fits);
    const chosen = row ?? { members: [], room: lists.map(({ limit }) => limit) };
    if (!row) rows.push(chosen);
    chosen.members.push(i);
    lists.forEach(({ lengths }, l) => {
      chosen.room[l]! -= lengths[i]!;
    });
    const left = chosen.room.reduce((sum, own) => sum + own, 0);
    if (left > 0 && chosen.members.length < most) {
      byRoom[left]!.push(chosen);
      roomiest = Math.max(roomiest, left);
    }
  }
  return rows.map(({ members }) => members);
}

/** Removes the last of the rows that fits, of the last few. */
function takeLast(rows: Row[], fits: (row: Row) => boolean): Row | undefined {
  const first = Math.max(0, rows.length - TRIES);
  for (let r = rows.length - 1; r >= first; r--) if (fits(rows[r]!)) return rows.splice(r, 1)[0];
  return undefined;
}

/** A tree with the largest room below each node, of each name, finds the first row with room in logarithmic time. */
function firstFit(order: readonly number[], { lists }: ExampleLengths, most: number): number[][] {
  const rows: number[][] = [];
  let leaves = 1;
  while (leaves < order.length) leaves *= 2;
  const rooms = lists.map(({ limit }) => new Int32Array(2 * leaves).fill(limit));
  for (const i of order) {
    const leaf = firstLeaf((n) => lists.every(({ lengths }, l) => lengths[i]! <= rooms[l]![n]!), leaves);
    const at = leaf - leaves;
    rows[at] ??= [];
    rows[at].push(i);
    rooms.forEach((room, l) => {
      room[leaf] = rows[at]!.length < most ? room[leaf]! - lists[l]!.lengths[i]! : 0;
    });
    for (let node = leaf >> 1; node >= 1; node >>= 1) {
      for (const room of rooms) room[node] = Math.max(room[2 * node]!, room[2 * node + 1]!);
    }
  }
  return rows;
}

/** The first leaf that fits. A node whose children have room in different names may fit while no leaf below it does. */
function firstLeaf(fits: (node: number) => boolean, leaves: number, node = 1): number {
  if (!fits(node)) return 0;
  if (node >= leaves) return node;
  return firstLeaf(fits, leaves, 2 * node) || firstLeaf(fits, leaves, 2 * node + 1);
}
