// The labels, predictions and scores that metrics compare, as numbers.
import { sizeOf } from "../../base/shape.ts";
import { tf } from "../../runtime/index.ts";
import { readFloat64 } from "../../storage/index.ts";
import type { AnyTensor } from "../../tensor/index.ts";
import { isTensor } from "../../tensor/tree.ts";
import type { TensorOperand } from "../../tensor/types/tensor.ts";
import { IGNORED } from "../targets.ts";

/** Classes, as a tensor of any shape, an array or a typed array of integers or booleans. */
export type Classes = TensorOperand | ArrayLike<number> | readonly boolean[];

/** A score for each class in the last axis: a tensor `[..., classes]`, or a list of arrays of numbers. */
export type Scores = TensorOperand | ArrayLike<number> | readonly ArrayLike<number>[];

/** An option of metrics that compare something with labels. */
export interface IgnoreIndex {
  /** A label that does not count; -100 by default. */
  ignoreIndex?: number | undefined;
}

/** Numbers with their shape. */
export interface Values {
  values: ArrayLike<number>;
  shape: readonly number[];
}

/** Predicted and actual classes of the same examples. */
export interface Pairs {
  predictions: Int32Array;
  labels: Int32Array;
}

/**
 * The classes of the examples whose label counts. Predictions are classes, or scores with one axis more than the labels, of which
 * the largest counts.
 *
 * @throws RangeError when the numbers of predictions and labels differ, or nothing counts; TypeError for a class that is not an
 *   integer
 */
export function pairsOf(op: string, predictions: Classes | Scores, labels: Classes, options: IgnoreIndex = {}): Pairs {
  const actual = classesOf(op, "labels", valuesOf(op, "labels", labels));
  const given = isTensor(predictions) ? mostLikely(predictions, actual.shape) : predictions;
  const predicted = classesOf(op, "predictions", largest(valuesOf(op, "predictions", given), actual.shape));
  checkLengths(op, "predictions", predicted.shape, actual.shape);
  const kept = counted(op, actual.values, options);
  return { predictions: kept(predicted.values), labels: kept(actual.values) };
}

/**
 * A filter of the examples whose label counts.
 *
 * @throws RangeError when there is none
 */
export function counted(op: string, labels: Int32Array, { ignoreIndex = IGNORED }: IgnoreIndex) {
  const isCounted = (_: number, i: number) => labels[i] !== ignoreIndex;
  if (!labels.some(isCounted)) {
    throw new RangeError(
      `${op}: expected at least one label, got ${labels.length === 0 ? "none" : `only ${ignoreIndex}, which is ignored`}`,
    );
  }
  if (!labels.includes(ignoreIndex)) return (values: Int32Array): Int32Array => values;
  return (values: Int32Array): Int32Array => {
    // Not by `filter`: a training step comes here, and a callback for each label is slow.
    const kept = new Int32Array(labels.length);
    let count = 0;
    for (let i = 0; i < labels.length; i++) if (labels[i] !== ignoreIndex) kept[count++] = values[i]!;
    return kept.subarray(0, count);
  };
}

/** @throws TypeError for what is not a tensor or an array */
export function valuesOf(op: string, what: string, given: Classes | Scores): Values {
  if (isTensor(given)) {
    const values = given.dtype === "int32" ? (given.dataSync() as Int32Array).slice() : readFloat64(given);
    return { values, shape: given.shape };
  }
  if (typeof given !== "object" || given === null || !("length" in given))
    throw new TypeError(`${op}: the ${what} must be a tensor, an array or a typed array, got ${typeof given}`);
  const rows = given as ArrayLike<number | ArrayLike<number>>;
  const isNested = typeof rows[0] === "object";
  if (!isNested) return { values: rows as ArrayLike<number>, shape: [rows.length] };
  const width = (rows[0] as ArrayLike<number>).length;
  const uneven = Array.from(rows).findIndex((row) => typeof row !== "object" || row.length !== width);
  if (uneven >= 0)
    throw new RangeError(`${op}: row ${uneven} of the ${what} does not have ${width} numbers as row 0 has`);
  const values = Float64Array.from(Array.from(rows as ArrayLike<ArrayLike<number>>).flatMap((row) => Array.from(row)));
  return { values, shape: [rows.length, width] };
}

/** @throws TypeError for a class that is not an integer */
export function classesOf(
  op: string,
  what: string,
  { values, shape }: Values,
): { values: Int32Array; shape: Values["shape"] } {
  if (values instanceof Int32Array) return { values, shape };
  const classes = Int32Array.from(values, Number);
  const at = classes.findIndex((value, i) => value !== Number(values[i]));
  if (at >= 0)
    throw new TypeError(
      `${op}: the ${what} must be integers, got ${values[at]} at ${at}${what === "predictions" ? ": of scores, take argMax(scores, -1) or greater(scores, 0.5)" : ""}`,
    );
  return { values: classes, shape };
}

/** @throws RangeError when there are not as many of `what` as labels, in the same shape */
export function checkLengths(op: string, what: string, given: Values["shape"], labels: Values["shape"]): void {
  if (sizeOf(given) !== sizeOf(labels))
    throw new RangeError(`${op}: expected as many ${what} as labels, got ${sizeOf(given)} and ${sizeOf(labels)}`);
  if (given.length > 1 && labels.length > 1 && given.some((size, axis) => size !== labels[axis]))
    throw new RangeError(`${op}: the ${what} have the shape [${given.join(", ")}], the labels [${labels.join(", ")}]`);
}

/** Whether the values are scores of classes for as many examples as there are labels. */
const areScores = ({ shape }: Pick<Values, "shape">, labels: Values["shape"]): boolean =>
  shape.length > 1 && shape.at(-1)! > 1 && sizeOf(shape.slice(0, -1)) === sizeOf(labels);

/** On the device, which has the scores, so that only the classes are read. */
function mostLikely(predictions: AnyTensor, labels: Values["shape"]): Classes {
  if (!areScores(predictions, labels)) return predictions as unknown as Classes;
  return tf.tidy(() => tf.argMax(predictions, -1).dataSync().slice()) as Int32Array;
}

/** The class with the largest score of each row, the first one of several. */
function largest(given: Values, labels: Values["shape"]): Values {
  if (!areScores(given, labels)) return given;
  const classes = given.shape.at(-1)!;
  const best = Int32Array.from({ length: sizeOf(labels) }, (_, row) => {
    let found = 0;
    for (let i = 1; i < classes; i++)
      if (given.values[row * classes + i]! > given.values[row * classes + found]!) found = i;
    return found;
  });
  return { values: best, shape: given.shape.slice(0, -1) };
}
