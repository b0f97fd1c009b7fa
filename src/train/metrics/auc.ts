import { listNames } from "../../base/list-names.ts";
import { sizeOf } from "../../base/shape.ts";
import {
  type Classes,
  checkLengths,
  classesOf,
  counted,
  type IgnoreIndex,
  type Scores,
  type Values,
  valuesOf,
} from "./values.ts";

/** Options of `auc`. */
export interface AucOptions extends IgnoreIndex {
  /** The positive class where there is one score an example; 1 by default. */
  positive?: number;
  /** Of more than two classes: the mean of each class against the others, `"macro"`, the default, or weighted by its labels. */
  average?: "macro" | "weighted";
}

/** How far the sum of a row's probabilities may be from 1, which float16 rounds by up to 1e-3 for each. */
const TOLERANCE = 1e-2;

/**
 * The area under the ROC curve (scikit-learn's `roc_auc_score`): the share of pairs of a positive and a negative example in which the
 * positive one has the higher score, equal scores counted half. Scores are one number an example, of any range, for labels of the
 * same shape and two classes; or probabilities `[..., classes]`, each class against the others.
 *
 *     auc(softmax(logits), labels)
 *
 * @throws RangeError when the numbers of scores and labels differ, a score is NaN, a row is not of probabilities, or the labels
 *   lack a class; TypeError for a label that is not an integer
 */
export function auc(scores: Scores, labels: Classes, options: AucOptions = {}): number {
  const { positive = 1, average = "macro" } = options;
  if (average !== "macro" && average !== "weighted")
    throw new TypeError(`auc: average must be "macro" or "weighted", got ${JSON.stringify(average)}`);
  const given = valuesOf("auc", "scores", scores);
  const all = classesOf("auc", "labels", valuesOf("auc", "labels", labels));
  const classes = given.shape.length > 1 && sizeOf(given.shape) !== sizeOf(all.shape) ? given.shape.at(-1)! : 1;
  checkLengths(
    "auc",
    classes > 1 ? "rows of scores" : "scores",
    given.shape.slice(0, classes > 1 ? -1 : undefined),
    all.shape,
  );
  const kept = counted("auc", all.values, options)(Int32Array.from(all.values.keys()));
  const actual = kept.map((i) => all.values[i]!);
  checkScores(given, kept, classes);
  const of = (column: number, label: number) =>
    areaUnder(
      Float64Array.from(kept, (i) => given.values[i * classes + column]!),
      actual.map((each) => Number(each === label)),
    );
  if (classes === 1) {
    checkTwoClasses(actual, positive);
    return of(0, positive);
  }
  const counts = countsOf(actual, classes);
  if (classes === 2) return of(1, 1);
  const weights = average === "macro" ? counts.map(() => 1) : counts;
  const total = weights.reduce((a, b) => a + b);
  return weights.reduce((sum, weight, label) => sum + (weight / total) * of(label, label), 0);
}

/**
 * By the rank sum of the positive examples (Mann & Whitney 1947); equal scores have the mean of their ranks.
 */
function areaUnder(scores: Float64Array, positive: Int32Array): number {
  const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  const positives = positive.reduce((sum, each) => sum + each, 0);
  let ranks = 0;
  for (let from = 0, to = 0; from < order.length; from = to) {
    let found = 0;
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to++) found += positive[order[to]!]!;
    ranks += (found * (from + to + 1)) / 2;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (positive.length - positives));
}

/** @throws RangeError for a score that is NaN, and for rows that are not probabilities */
function checkScores({ values }: Values, rows: Int32Array, classes: number): void {
  for (const row of rows) {
    let sum = 0;
    for (let i = row * classes; i < (row + 1) * classes; i++) {
      if (Number.isNaN(Number(values[i]))) throw new RangeError(`auc: score ${i} is ${values[i]}`);
      if (classes > 1 && !(values[i]! >= 0 && values[i]! <= 1 + TOLERANCE))
        throw new RangeError(
          `auc: scores of ${classes} classes must be probabilities, got ${values[i]} in row ${row}: pass softmax(logits)`,
        );
      sum += values[i]!;
    }
    if (classes > 1 && Math.abs(sum - 1) > TOLERANCE)
      throw new RangeError(
        `auc: scores of ${classes} classes must be probabilities, but row ${row} sums to ${sum}: pass softmax(logits)`,
      );
  }
}

/** @throws RangeError for labels that are not of two classes, one of them positive */
function checkTwoClasses(labels: Int32Array, positive: number): void {
  const found = [...new Set(labels)].sort((a, b) => a - b);
  if (found.length === 1)
    throw new RangeError(`auc: every label is ${found[0]}, and a ROC curve needs examples of two classes`);
  if (found.length > 2)
    throw new RangeError(
      `auc: one score an example needs labels of two classes, got ${found.length} (${listNames(found.map(String))}): give probabilities [examples, classes]`,
    );
  if (!found.includes(positive))
    throw new RangeError(
      `auc: the positive class ${positive} is none of the classes ${found.join(" and ")}: give \`positive\``,
    );
}

/**
 * The number of labels of each class.
 *
 * @throws RangeError when a class has none, or a label is not a class
 */
function countsOf(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) {
    if (label < 0 || label >= classes)
      throw new RangeError(`auc: label ${label} is not one of the ${classes} classes of the scores`);
    counts[label]!++;
  }
  const missing = counts.flatMap((count, label) => (count === 0 ? [`${label}`] : []));
  if (missing.length > 0)
    throw new RangeError(
      `auc: no label is class ${listNames(missing)}, and the ROC curve of a class needs examples of it`,
    );
  return counts;
}
