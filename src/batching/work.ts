import type { Plan } from "./plan.ts";
import { rectangleWidths } from "./statistics.ts";

/** The sizes that decide how much a Transformer computes. */
export interface TransformerSizes {
  features: number;
  layers: number;
  /** Width of the feed-forward layer; 4 times `features` by default. */
  hidden?: number;
}

/**
 * Floating-point operations of one training step on `rows` by `time` tokens. Only matrix products count, with two operations
 * for a multiply-add and the backward pass as twice the forward pass. Attention contributes the part in `time` squared.
 *
 * Kaplan et al. 2020 (arXiv 2001.08361), table 1, with the attention's products counted on both sides.
 */
export function stepWork(
  { features: d, layers, hidden = 4 * d }: TransformerSizes,
  rows: number,
  time: number,
): number {
  const weights = layers * (4 * d * d + 2 * d * hidden);
  const attention = layers * 2 * time * d;
  return 3 * 2 * rows * time * (weights + attention);
}

/**
 * Floating-point operations of one epoch (the first by default), padding included. Where an example has several sequences, each goes
 * through a Transformer of these sizes; attention between them is not counted.
 */
export function epochWork(sizes: TransformerSizes, plan: Plan, { epoch = 0 }: { epoch?: number } = {}): number {
  return plan
    .epoch(epoch)
    .flatMap((batch) => rectangleWidths(batch).map((time) => stepWork(sizes, batch.rows.length, time)))
    .reduce((sum, work) => sum + work, 0);
}
