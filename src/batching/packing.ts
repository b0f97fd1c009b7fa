import { checkPositiveInteger } from "../base/checks.ts";
import type { Random } from "../data/random.ts";
import { chunks, epochRandom, type GroupingOptions, ordered, rowLength } from "./order.ts";
import { type LengthLimit, type Plan, plan } from "./plan.ts";

/** How sequences are packed into rows. */
export interface PackOptions {
  /** Most tokens in a row. */
  maxLength: number;
  /**
   * `"shortest-pack-first"`, the default, takes the longest sequences first and puts each into the emptiest row where it fits
   * (Krell et al. 2021, SPFHP). `"first-fit"` puts each sequence, in the given order, into the first row with room, so that
   * neighbours are random.
   */
  algorithm?: "first-fit" | "shortest-pack-first";
  /** Most sequences in a row; no limit by default. */
  maxSequencesPerRow?: number;
}

/** Options of `packedPlan`. */
export interface PackedPlanOptions
  extends LengthLimit,
    PackOptions,
    Pick<GroupingOptions, "seed" | "longestFirst" | "shuffleBatches"> {
  maxLength: number;
  /** Rows in a batch. */
  batchSize: number;
  /** Leaves out a last batch that is smaller than the others; false by default. */
  dropLast?: boolean;
  /** Width of a batch: always `maxLength` (the default, one shape), or its fullest row. */
  padTo?: "maxLength" | "longest";
}

/**
 * Packs several sequences into each row (Krell et al. 2021). Attention stays within a sequence and positions start at 0, so
 * that the model sees each sequence alone.
 *
 * @throws RangeError for an invalid length or option
 */
export function packedPlan(lengths: ArrayLike<number>, options: PackedPlanOptions): Plan {
  const { batchSize, maxLength, seed, dropLast = false, padTo = "maxLength" } = options;
  checkPositiveInteger("batchSize", batchSize);
  checkPositiveInteger("maxLength", maxLength);
  return plan(options.algorithm === "first-fit" ? "packed, first fit" : "packed", lengths, options, (kept, epoch) => {
    const rng = epochRandom(seed, epoch);
    const packed = packRows(kept, options, rng);
    const parts = chunks(rng ? rng.shuffle(packed) : packed, batchSize);
    const whole = dropLast ? parts.filter(({ length }) => length === batchSize) : parts;
    const widest = (rows: number[][]) => rows.reduce((most, row) => Math.max(most, rowLength(row, kept)), 0);
    return ordered(
      whole.map((rows) => ({ time: padTo === "maxLength" ? maxLength : widest(rows), rows })),
      undefined,
      options,
    );
  });
}

/** Which sequences share a row. No length may be above `maxLength`. */
export function packRows(lengths: Int32Array, options: PackOptions, rng: Random | undefined): number[][] {
  const { algorithm = "shortest-pack-first", maxLength, maxSequencesPerRow = Number.POSITIVE_INFINITY } = options;
  checkPositiveInteger("maxLength", maxLength);
  if (maxSequencesPerRow !== Number.POSITIVE_INFINITY) checkPositiveInteger("maxSequencesPerRow", maxSequencesPerRow);
  const order = Array.from(lengths, (_, i) => i);
  const drawn = rng ? rng.shuffle(order) : order;
  return algorithm === "first-fit"
    ? firstFit(drawn, lengths, maxLength, maxSequencesPerRow)
    : shortestPackFirst(drawn, lengths, maxLength, maxSequencesPerRow);
}

/**
 * Worst-fit decreasing. Rows are indexed by the room they have left, so the cost of a sequence does not depend on the number
 * of rows.
 */
function shortestPackFirst(order: readonly number[], lengths: Int32Array, capacity: number, most: number): number[][] {
  const rows: number[][] = [];
  const byRoom: number[][][] = Array.from({ length: capacity + 1 }, () => []);
  let roomiest = 0;
  for (const i of order.toSorted((a, b) => lengths[b]! - lengths[a]!)) {
    const length = lengths[i]!;
    while (roomiest > 0 && byRoom[roomiest]!.length === 0) roomiest--;
    let row: number[];
    let room: number;
    if (roomiest >= length) {
      row = byRoom[roomiest]!.pop()!;
      room = roomiest - length;
    } else {
      row = [];
      rows.push(row);
      room = capacity - length;
    }
    row.push(i);
    if (room > 0 && row.length < most) {
      byRoom[room]!.push(row);
      roomiest = Math.max(roomiest, room);
    }
  }
  return rows;
}

/** A tree with the largest room below each node finds the first row with room in logarithmic time. */
function firstFit(order: readonly number[], lengths: Int32Array, capacity: number, most: number): number[][] {
  const rows: number[][] = [];
  let leaves = 1;
  while (leaves < order.length) leaves *= 2;
  const room = new Int32Array(2 * leaves).fill(capacity);
  for (const i of order) {
    const length = lengths[i]!;
    let node = 1;
    while (node < leaves) node = room[2 * node]! >= length ? 2 * node : 2 * node + 1;
    const at = node - leaves;
    rows[at] ??= [];
    rows[at].push(i);
    room[node] = rows[at].length < most ? room[node]! - length : 0;
    for (node >>= 1; node >= 1; node >>= 1) room[node] = Math.max(room[2 * node]!, room[2 * node + 1]!);
  }
  return rows;
}
