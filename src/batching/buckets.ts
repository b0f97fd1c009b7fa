import { checkPositiveInteger } from "../base/checks.ts";
import { type ExampleLengths, type LengthLimit, type Lengths, ruleLengths } from "./lengths.ts";
import { chunks, epochRandom, type GroupingOptions, ordered, shuffled } from "./order.ts";
import { type Plan, planExamples } from "./plan.ts";
import { longestWidths, raised, type Widths, widthsBy } from "./widths.ts";

/** Where one bucket ends and the next begins. */
export type BucketEdges =
  /** The longest length of each bucket, in increasing order; longer sequences are in one further bucket. */
  | { boundaries: readonly number[] }
  /** The number of buckets, each with about the same number of sequences. */
  | { quantiles: number }
  /** The number of widths, chosen for the least padding: for a runtime that compiles each shape. */
  | { shapes: number };

/** Options of `bucketPlan`. */
export type BucketPlanOptions<N extends string = never> = BucketEdges &
  LengthLimit<N> &
  Pick<GroupingOptions<N>, "by" | "seed" | "shuffleBatches" | "longestFirst"> & {
    /** Examples in a batch: one number, or one for each bucket. */
    batchSize: number | readonly number[];
    /**
     * Width of a batch: its bucket's boundary, the same for the whole bucket (the default), or its longest sequence. Where an
     * example has several sequences, the boundary of a name is the longest of that name in this bucket and those before it.
     */
    padTo?: "boundary" | "longest";
    /** Raises each width to a multiple of this; 1 by default. */
    padToMultipleOf?: number;
    /**
     * What happens to a bucket's last batch when it is not full: `"keep"` (the default), `"drop"`, or `"widen"`, which moves
     * its sequences to the next wider bucket, so that only the widest bucket can have such a batch.
     */
    leftovers?: "keep" | "drop" | "widen";
  };

/**
 * Sorts examples into buckets by length and makes batches within each bucket (tf.data's `bucket_by_sequence_length`).
 *
 * @throws RangeError for an invalid length or option
 */
export function bucketPlan(lengths: Lengths, options: BucketPlanOptions<string>): Plan {
  const { batchSize, padTo = "boundary", leftovers = "keep", padToMultipleOf = 1, seed } = options;
  checkPositiveInteger("padToMultipleOf", padToMultipleOf);
  let prepared: Buckets | undefined;
  return planExamples("buckets", lengths, options, (examples, epoch) => {
    prepared ??= buckets(examples, options, padToMultipleOf);
    const { bucketOf, widths } = prepared;
    const sizes = rowsOfBuckets(batchSize, widths.length);
    const rng = epochRandom(seed, epoch);
    const members: number[][] = widths.map(() => []);
    for (const i of shuffled(bucketOf.length, rng)) members[bucketOf[i]!]!.push(i);
    const batches = members.flatMap((bucket, b) => {
      const parts = chunks(bucket, sizes[b]!);
      const last = parts.at(-1);
      if (last && last.length < sizes[b]! && leftovers !== "keep") {
        const widest = b === widths.length - 1;
        if (leftovers === "drop" || !widest) parts.pop();
        if (leftovers === "widen" && !widest) members[b + 1]!.push(...last);
      }
      return parts.map((part) => {
        const rows = part.map((i) => [i]);
        return { ...(padTo === "boundary" ? widths[b]! : longestWidths(rows, examples, padToMultipleOf)), rows };
      });
    });
    return ordered(batches, rng, options);
  });
}

interface Buckets {
  /** The bucket of each example. */
  bucketOf: number[];
  /** The widths of each bucket's boundary. */
  widths: Widths[];
}

function buckets(examples: ExampleLengths, options: BucketPlanOptions<string>, padToMultipleOf: number): Buckets {
  const { lists } = examples;
  const isSingle = lists[0]!.name === undefined;
  const counted = ruleLengths(examples, options.by);
  const edges = bucketBoundaries(counted, options, padToMultipleOf, isSingle ? lists[0]!.limit : undefined);
  const bucketOf = Array.from(counted, (length) => bucketIndex(edges, length));
  if (isSingle) return { bucketOf, widths: edges.map((time) => ({ time })) };
  // A wider bucket is at least as wide for every name, because `leftovers: "widen"` moves examples to it.
  const longest = lists.map(() => 0);
  const widths = edges.map((_, b) =>
    widthsBy(examples, (list, l) => {
      bucketOf.forEach((bucket, i) => {
        if (bucket === b) longest[l] = Math.max(longest[l]!, list.lengths[i]!);
      });
      return raised(longest[l]!, list, padToMultipleOf);
    }),
  );
  return { bucketOf, widths };
}

/**
 * The longest length of each bucket, in increasing order; the last one fits all sequences.
 *
 * `shapes` minimises the padding over all choices of that many widths by dynamic programming over the distinct lengths, of
 * which it considers at most 1024.
 *
 * @throws RangeError when a boundary, `quantiles` or `shapes` is not a positive integer, or boundaries do not increase
 */
export function bucketBoundaries(
  lengths: Int32Array,
  edges: BucketEdges,
  padToMultipleOf = 1,
  maxLength = Number.POSITIVE_INFINITY,
): number[] {
  const raisedLength = (length: number) => raised(length, { limit: maxLength }, padToMultipleOf);
  const sorted = lengths.toSorted();
  const widest = raisedLength(sorted.at(-1)!);
  const distinct = (values: readonly number[]) =>
    [...new Set([...values.map(raisedLength), widest])].sort((a, b) => a - b);
  if ("boundaries" in edges) {
    const { boundaries } = edges;
    boundaries.forEach((boundary, i) => {
      checkPositiveInteger(`boundary ${i}`, boundary);
      if (i > 0 && boundary <= boundaries[i - 1]!) {
        throw new RangeError(`boundaries must increase: boundary ${i} is ${boundary} after ${boundaries[i - 1]}`);
      }
    });
    return distinct(boundaries.filter((boundary) => boundary < widest));
  }
  if ("quantiles" in edges) {
    checkPositiveInteger("quantiles", edges.quantiles);
    const at = (q: number) => sorted[Math.ceil((q * sorted.length) / edges.quantiles) - 1]!;
    return distinct(Array.from({ length: edges.quantiles }, (_, q) => at(q + 1)).filter((value) => value > 0));
  }
  checkPositiveInteger("shapes", edges.shapes);
  return cheapestWidths(sorted.map(raisedLength), edges.shapes);
}

const CANDIDATES = 1024;

function cheapestWidths(sorted: Int32Array, shapes: number): number[] {
  const all = [...new Set(sorted)];
  const step = Math.ceil(all.length / CANDIDATES);
  const widths = all.filter((_, i) => (all.length - 1 - i) % step === 0);
  if (widths.length <= shapes) return widths;
  // How many sequences fit in each width.
  const fitting: number[] = [];
  for (let i = 0, w = 0; w < widths.length; w++) {
    while (i < sorted.length && sorted[i]! <= widths[w]!) i++;
    fitting.push(i);
  }
  // slots[w]: the fewest positions for all sequences that fit in width w, when w is the widest of `count` widths.
  let slots = widths.map((wide, w) => wide * fitting[w]!);
  const narrower: number[][] = [];
  for (let count = 2; count <= shapes; count++) {
    const from: number[] = [];
    const fewer = slots;
    slots = widths.map((wide, w) => {
      let best = fewer[w]!;
      from[w] = -1;
      for (let v = 0; v < w; v++) {
        const total = fewer[v]! + wide * (fitting[w]! - fitting[v]!);
        if (total < best) {
          best = total;
          from[w] = v;
        }
      }
      return best;
    });
    narrower.push(from);
  }
  const chosen = [widths.length - 1];
  for (const from of narrower.toReversed()) {
    const next = from[chosen[0]!]!;
    if (next >= 0) chosen.unshift(next);
  }
  return chosen.map((w) => widths[w]!);
}

function bucketIndex(edges: readonly number[], length: number): number {
  let low = 0;
  let high = edges.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (length <= edges[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

function rowsOfBuckets(batchSize: number | readonly number[], buckets: number): number[] {
  const sizes = typeof batchSize === "number" ? new Array<number>(buckets).fill(batchSize) : [...batchSize];
  if (sizes.length !== buckets) {
    throw new RangeError(`batchSize must have one number for each of the ${buckets} buckets, got ${sizes.length}`);
  }
  sizes.forEach((size, b) => {
    checkPositiveInteger(typeof batchSize === "number" ? "batchSize" : `batchSize of bucket ${b}`, size);
  });
  return sizes;
}
