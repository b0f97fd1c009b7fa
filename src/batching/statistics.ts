import type { Plan, PlannedBatch } from "./plan.ts";

/** How much of one epoch of a plan is padding, and how its batches are composed. */
export interface PlanStatistics {
  strategy: string;
  batches: number;
  /** Examples, where an example has several sequences. */
  sequences: number;
  /** Positions of all rectangles, padding included: what the model computes on. */
  slots: number;
  /** Tokens, padding not included. */
  useful: number;
  /** `1 - useful / slots`. */
  paddingShare: number;
  /** Tokens in a batch, padding not included: mean, least and most. */
  usefulPerBatch: { mean: number; least: number; most: number };
  /** Positions in the largest batch, padding included; it decides the peak memory. */
  largestBatch: number;
  /** Number of distinct rectangles `[rows, time]`, or of their combinations. */
  shapes: number;
  /**
   * Correlation (Pearson) of the mean lengths of a batch and the next: near 0 when batches come in random order, near 1
   * when they come sorted. 0 when all batches have the same mean.
   */
  neighbourCorrelation: number;
  /**
   * Share of the variance of lengths (their sum, where an example has several sequences) that lies between batches: near 0 for a plain shuffle, near 1 when each batch has one
   * length only. The examples of such a batch are similar in everything that correlates with length.
   */
  lengthShareBetween: number;
  /**
   * Attention scores of one head of one layer: the sum of `rows * time^2`, and those between tokens of one sequence. Attention from
   * one name to another is not counted.
   */
  attention: { computed: number; useful: number };
  /** How many sequences lose tokens, and how many tokens are lost. */
  truncated: { sequences: number; tokens: number };
}

/** The padding of one epoch (the first by default), computed from the plan without making a batch. */
export function planStatistics(plan: Plan, { epoch = 0 }: { epoch?: number } = {}): PlanStatistics {
  const batches = plan.epoch(epoch);
  const sizes = batches.map((batch) => sizesOf(batch, plan));
  const sum = (pick: (size: PlannedSizes) => number) => sizes.reduce((total, size) => total + pick(size), 0);
  const slots = sum((size) => size.slots);
  const useful = sum((size) => size.useful);
  const sequences = sum((size) => size.sequences);
  const squares = sum((size) => size.squares);
  const mean = useful / sequences;
  const total = squares - sequences * mean ** 2;
  const between = sum((size) => size.sequences * (size.useful / size.sequences - mean) ** 2);
  const means = sizes.map((size) => size.useful / size.sequences);
  return {
    strategy: plan.strategy,
    batches: batches.length,
    sequences,
    slots,
    useful,
    paddingShare: 1 - useful / slots,
    usefulPerBatch: {
      mean: useful / batches.length,
      least: sizes.reduce((least, size) => Math.min(least, size.useful), Number.POSITIVE_INFINITY),
      most: sizes.reduce((most, size) => Math.max(most, size.useful), 0),
    },
    largestBatch: sizes.reduce((most, size) => Math.max(most, size.slots), 0),
    shapes: new Set(batches.map((batch) => `${batch.rows.length}x${rectangleWidths(batch).join("+")}`)).size,
    neighbourCorrelation: correlation(means.slice(0, -1), means.slice(1)),
    lengthShareBetween: total > 0 ? between / total : 0,
    attention: { computed: sum((size) => size.scores), useful: sum((size) => size.usefulScores) },
    truncated: plan.truncated,
  };
}

interface PlannedSizes {
  sequences: number;
  slots: number;
  useful: number;
  /** Of the examples' lengths. */
  squares: number;
  scores: number;
  usefulScores: number;
}

function sizesOf(batch: PlannedBatch, { lengths, lengthsByName }: Plan): PlannedSizes {
  const { time, rows } = batch;
  const lists = lengthsByName ? Object.values(lengthsByName) : [lengths];
  const scores = rectangleWidths(batch).reduce((sum, width) => sum + rows.length * width ** 2, 0);
  const sizes = { sequences: 0, slots: rows.length * time, useful: 0, squares: 0, scores, usefulScores: 0 };
  for (const row of rows) {
    for (const i of row) {
      sizes.sequences++;
      sizes.useful += lengths[i]!;
      sizes.squares += lengths[i]! ** 2;
      for (const list of lists) sizes.usefulScores += list[i]! ** 2;
    }
  }
  return sizes;
}

/** The widths of a batch's rectangles. */
export function rectangleWidths({ time, widths }: PlannedBatch): number[] {
  return widths ? Object.values(widths) : [time];
}

function correlation(a: readonly number[], b: readonly number[]): number {
  if (a.length < 2) return 0;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - meanA) * (b[i]! - meanB);
    aa += (a[i]! - meanA) ** 2;
    bb += (b[i]! - meanB) ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
