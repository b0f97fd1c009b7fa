import { type Batch, rectanglesOf, usefulTokens } from "../batching/batch.ts";
import { isTensor } from "../tensor/tree.ts";

/** How many examples and tokens the batches of a step have; an alias, because tf.tidy does not take interfaces. */
export type BatchFigures = {
  sequences: number;
  /** Positions of all rectangles, padding included; 0 for data without sequences. */
  tokens: number;
  usefulTokens: number;
};

/**
 * The number of examples of a batch: that of its `indices` or `labels`, or else the first axis of the tensors and lists that are
 * the batch or its properties, or of the model's outputs; 1 where there is none of these, or they differ.
 */
export function exampleCount(batch: unknown, outputs: unknown): number {
  return ownExamples(batch) ?? commonAxis(outputs) ?? 1;
}

/** The number of examples that a batch itself tells. */
export function ownExamples(batch: unknown): number | undefined {
  const { indices, labels } = isObject(batch) ? (batch as Record<string, unknown>) : {};
  return firstAxis(indices) ?? firstAxis(labels) ?? commonAxis(batch);
}

/** The first axis of all tensors and lists that are properties of a value; of a tensor or a list of other things its own. */
function commonAxis(value: unknown): number | undefined {
  const holdsTensors = Array.isArray(value) && value.some(isTensor);
  if (!isObject(value) || (!holdsTensors && firstAxis(value) !== undefined)) return firstAxis(value);
  const sizes = new Set(Object.values(value).map(firstAxis));
  sizes.delete(undefined);
  return sizes.size === 1 ? [...sizes][0] : undefined;
}

function firstAxis(value: unknown): number | undefined {
  if (isTensor(value)) return value.shape[0];
  const isList = Array.isArray(value) || ArrayBuffer.isView(value);
  return isList ? (value as ArrayLike<unknown> & object).length : undefined;
}

export const addFigures = (a: BatchFigures, b: BatchFigures): BatchFigures => ({
  sequences: a.sequences + b.sequences,
  tokens: a.tokens + b.tokens,
  usefulTokens: a.usefulTokens + b.usefulTokens,
});

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
