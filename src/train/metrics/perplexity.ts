import { tf } from "../../runtime/index.ts";
import { crossEntropy, item, tensor } from "../../tensor/index.ts";
import { isTensor } from "../../tensor/tree.ts";
import type { Tensor } from "../../tensor/types/tensor.ts";
import { IGNORED } from "../targets.ts";
import { type Classes, checkLengths, classesOf, counted, type IgnoreIndex, type Scores, valuesOf } from "./values.ts";

/**
 * The exponential of the mean cross-entropy of logits `[..., classes]` and labels `[...]` (torchmetrics' `Perplexity`): 1 where every
 * label has the probability 1, and the number of classes where all are equally likely. Labels of -100, or `ignoreIndex`, do not
 * count.
 *
 * @throws RangeError when the numbers of rows and labels differ, no label counts, or a label is not a class; TypeError for a label
 *   that is not an integer
 */
export function perplexity(logits: Scores, labels: Classes, options: IgnoreIndex = {}): number {
  return Math.exp(meanCrossEntropy(logits, labels, options));
}

/** The mean cross-entropy over the labels that count. */
export function meanCrossEntropy(logits: Scores, labels: Classes, { ignoreIndex = IGNORED }: IgnoreIndex = {}): number {
  const classes = classesOf("perplexity", "labels", valuesOf("perplexity", "labels", labels));
  const shape = isTensor(logits) ? logits.shape : valuesOf("perplexity", "logits", logits).shape;
  if (shape.length < 2) throw new RangeError(`perplexity: expected logits [..., classes], got [${shape.join(", ")}]`);
  const axes = shape.slice(0, -1);
  checkLengths("perplexity", "rows of logits", axes, classes.shape);
  counted("perplexity", classes.values, { ignoreIndex });
  let mean = Number.NaN;
  tf.tidy(() => {
    const truth = tensor(classes.values, { dtype: "int32", shape: axes });
    const given = isTensor(logits) ? logits : tensor(logits as number[][]);
    mean = item(crossEntropy(given as unknown as Tensor, truth, { ignoreIndex }));
  });
  return mean;
}
