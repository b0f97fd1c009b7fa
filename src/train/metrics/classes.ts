import { checkPositiveInteger } from "../../base/checks.ts";
import { listNames } from "../../base/list-names.ts";
import { type Classes, type IgnoreIndex, type Pairs, pairsOf, type Scores } from "./values.ts";

/**
 * How precision, recall and F1 of several classes become one number: `"binary"` is that of the positive class, `"macro"` the mean
 * over the classes, `"weighted"` their mean weighted by the number of labels, `"micro"` that of all decisions together, and
 * `"none"` gives the number of each class.
 */
export type Average = "binary" | "macro" | "micro" | "weighted" | "none";

/** Options of `precision`, `recall` and `f1`, with the defaults of scikit-learn. */
export interface ClassMetricOptions<A extends Average = Average> extends IgnoreIndex {
  /** `"binary"` by default. */
  average?: A;
  /** The positive class of `"binary"`; 1 by default. */
  positive?: number;
  /** The number of classes, those that do not occur included. By default the classes are those that occur. */
  classes?: number;
  /** The value where there is nothing to divide by; 0 by default. `NaN` leaves such a class out of a mean. */
  zeroDivision?: 0 | 1 | typeof Number.NaN;
}

/** What a metric of classes gives: a number, or one for each class in ascending order. */
export type Averaged<A extends Average> = A extends "none" ? number[] : number;

/**
 * The share of predictions that equal their label, in any shape (scikit-learn's `accuracy_score`). Predictions may also be scores
 * with one axis more, `[..., classes]`, of which the largest counts.
 *
 * @throws RangeError when the numbers of predictions and labels differ, or no label counts; TypeError for a class that is not an
 *   integer
 */
export function accuracy(predictions: Classes | Scores, labels: Classes, options: IgnoreIndex = {}): number {
  const pairs = pairsOf("accuracy", predictions, labels, options);
  let right = 0;
  for (let i = 0; i < pairs.labels.length; i++) if (pairs.labels[i] === pairs.predictions[i]) right++;
  return right / pairs.labels.length;
}

/**
 * The share of the predictions of a class that are right, of classes in any shape (scikit-learn's `precision_score`, which takes the
 * labels first). Predictions may also be scores with one axis more, `[..., classes]`, of which the largest counts.
 *
 * @throws RangeError when the numbers of predictions and labels differ, no label counts, there are more than two classes for
 *   `"binary"`, or a class is not below `classes`; TypeError for a class that is not an integer, or an unknown average
 */
export function precision<A extends Average = "binary">(
  predictions: Classes | Scores,
  labels: Classes,
  options: ClassMetricOptions<A> = {},
): Averaged<A> {
  return averaged("precision", predictions, labels, options, ({ right, predicted }) => [right, predicted]);
}

/**
 * The share of the labels of a class that were predicted, of classes in any shape (scikit-learn's `recall_score`, which takes the
 * labels first). Predictions may also be scores with one axis more, `[..., classes]`, of which the largest counts.
 *
 * @throws RangeError when the numbers of predictions and labels differ, no label counts, there are more than two classes for
 *   `"binary"`, or a class is not below `classes`; TypeError for a class that is not an integer, or an unknown average
 */
export function recall<A extends Average = "binary">(
  predictions: Classes | Scores,
  labels: Classes,
  options: ClassMetricOptions<A> = {},
): Averaged<A> {
  return averaged("recall", predictions, labels, options, ({ right, actual }) => [right, actual]);
}

/**
 * The harmonic mean of precision and recall, of classes in any shape (scikit-learn's `f1_score`). Predictions may also be scores with
 * one axis more, `[..., classes]`, of which the largest counts.
 *
 *     f1(predictions, labels, { average: "macro" })
 *
 * @throws RangeError when the numbers of predictions and labels differ, no label counts, there are more than two classes for
 *   `"binary"`, or a class is not below `classes`; TypeError for a class that is not an integer, or an unknown average
 */
export function f1<A extends Average = "binary">(
  predictions: Classes | Scores,
  labels: Classes,
  options: ClassMetricOptions<A> = {},
): Averaged<A> {
  return averaged("f1", predictions, labels, options, ({ right, predicted, actual }) => [
    2 * right,
    predicted + actual,
  ]);
}

/** How often a class was predicted, was the label, and was both. */
interface Counts {
  right: number;
  predicted: number;
  actual: number;
}

const averages: readonly Average[] = ["binary", "macro", "micro", "weighted", "none"];

function averaged<A extends Average>(
  op: string,
  predictions: Classes | Scores,
  labels: Classes,
  options: ClassMetricOptions<A>,
  fraction: (counts: Counts) => [number, number],
): Averaged<A> {
  const { average = "binary", positive = 1, zeroDivision = 0 } = options;
  if (!averages.includes(average as Average)) {
    throw new TypeError(`${op}: average must be "${averages.join('", "')}", got ${JSON.stringify(average)}`);
  }
  const pairs = pairsOf(op, predictions, labels, options);
  const value = (counts: Counts) => {
    const [part, whole] = fraction(counts);
    return whole === 0 ? zeroDivision : part / whole;
  };
  const result = (): number | number[] => {
    if (average === "binary") {
      checkBinary(op, pairs, positive);
      return value(countsOf(pairs, [positive])[0]!);
    }
    const counts = countsOf(pairs, occurring(op, pairs, options.classes));
    if (average === "micro") return value(counts.reduce(sum));
    const values = counts.map(value);
    if (average === "none") return values;
    return mean(values, average === "weighted" ? counts.map(({ actual }) => actual) : counts.map(() => 1));
  };
  return result() as Averaged<A>;
}

/**
 * The classes that occur, or all below `classes`, in ascending order.
 *
 * @throws RangeError for a class that is not below `classes`
 */
export function occurring(op: string, { predictions, labels }: Pairs, classes?: number): number[] {
  const found = [...new Set([...labels, ...predictions])].sort((a, b) => a - b);
  if (classes === undefined) return found;
  checkPositiveInteger("classes", classes);
  const outside = found.find((each) => each < 0 || each >= classes);
  if (outside !== undefined) throw new RangeError(`${op}: ${outside} is not one of the ${classes} classes from 0`);
  return Array.from({ length: classes }, (_, i) => i);
}

/** @throws RangeError for more than two classes, or two without the positive one */
function checkBinary(op: string, pairs: Pairs, positive: number): void {
  const found = occurring(op, pairs);
  if (found.length > 2)
    throw new RangeError(
      `${op}: average "binary" needs two classes, got ${found.length} (${listNames(found.map(String))}): give average: "macro", "micro", "weighted" or "none"`,
    );
  if (found.length === 2 && !found.includes(positive))
    throw new RangeError(
      `${op}: the positive class ${positive} is none of the classes ${found.join(" and ")}: give \`positive\``,
    );
}

function countsOf({ predictions, labels }: Pairs, classes: readonly number[]): Counts[] {
  const counts = new Map(classes.map((each): [number, Counts] => [each, { right: 0, predicted: 0, actual: 0 }]));
  for (let i = 0; i < labels.length; i++) {
    const [predicted, actual] = [counts.get(predictions[i]!), counts.get(labels[i]!)];
    if (predicted) predicted.predicted++;
    if (actual) actual.actual++;
    if (actual && actual === predicted) actual.right++;
  }
  return [...counts.values()];
}

const sum = (a: Counts, b: Counts): Counts => ({
  right: a.right + b.right,
  predicted: a.predicted + b.predicted,
  actual: a.actual + b.actual,
});

/** The weighted mean of the values that are not NaN. */
function mean(values: readonly number[], weights: readonly number[]): number {
  const used = weights.map((weight, i) => (Number.isNaN(values[i]) ? 0 : weight));
  const total = used.reduce((a, b) => a + b, 0);
  return values.reduce((all, value, i) => (used[i] === 0 ? all : all + value * used[i]!), 0) / total;
}
