import { type Batch, rectanglesOf, usefulTokens } from "../batching/batch.ts";
import { isTensor } from "../tensor/tree.ts";

/** How many examples and tokens the batches of a step have. */
export interface BatchFigures {
  sequences: number;
  /** Positions of all rectangles, padding included; 0 for data without sequences. */
  tokens: number;
  usefulTokens: number;
}

/**
 * The number of examples of a batch: that of its `indices`, or else the first axis of the model's outputs; 1 where there is
 * neither.
 */
export function exampleCount(batch: unknown, outputs: unknown): number {
  const indices = isObject(batch) && "indices" in batch ? batch.indices : undefined;
  if (isObject(indices) && "length" in indices) return indices.length as number;
  return isTensor(outputs) ? (outputs.shape[0] ?? 1) : 1;
}

/** The figures of batches with the given numbers of examples. */
export function batchFigures(batches: readonly unknown[], examples: readonly number[]): BatchFigures {
  const rectangles = batches.flatMap((batch): Batch[] =>
    isObject(batch) && !isTensor(batch) ? rectanglesOf(batch as Batch) : [],
  );
  return {
    sequences: examples.reduce((sum, count) => sum + count, 0),
    tokens: rectangles.reduce((sum, { rows, time }) => sum + rows * time, 0),
    usefulTokens: rectangles.reduce((sum, rectangle) => sum + usefulTokens(rectangle), 0),
  };
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
