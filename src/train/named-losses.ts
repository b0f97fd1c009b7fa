import type { Scalar } from "@tensorflow/tfjs-node-gpu";
import { autocastOp } from "../amp/index.ts";
import { sizeOf } from "../base/shape.ts";
import { tf } from "../runtime/index.ts";
import { stepInput } from "../runtime/native/capture/step-inputs.ts";
import { type AnyTensor, binaryCrossEntropy, crossEntropy, meanSquaredError } from "../tensor/index.ts";
import { int32Values } from "../tensor/int32.ts";
import { isTensor } from "../tensor/tree.ts";
import { accuracy } from "./metrics/classes.ts";
import type { BatchLoss, BatchObjective, Objective } from "./objective.ts";
import { classLabels, IGNORED, lossText, nextTokens, realLabels, tokenLabels } from "./targets.ts";

/** An objective of this file: what it reads of a batch are its labels. */
interface LabelledObjective extends BatchObjective<unknown> {
  weight: number;
  labels: ArrayLike<number>;
}

/** The objectives by name, for a batch. */
export const namedLosses: Record<Objective, (batch: unknown) => LabelledObjective> = {
  crossEntropy: classification("crossEntropy", "[examples, classes]", classLabels),
  meanSquaredError: realLoss("meanSquaredError", (predictions, labels) => ({
    loss: squaredError(predictions, labels),
    metrics: {},
  })),
  binaryCrossEntropy: realLoss(
    "binaryCrossEntropy",
    (logits, labels) => ({
      loss: binaryCrossEntropy(logits, labels) as Scalar,
      metrics: { accuracy: { tensor: tf.reshape(tf.greater(logits, 0), [-1]), read: binaryAccuracy } },
    }),
    checkShares,
  ),
  tokenCrossEntropy: classification("tokenCrossEntropy", "[rows, time, classes]", tokenLabels),
  nextToken: classification("nextToken", "[rows, time, vocabulary]", nextTokens),
};

/** A loss of outputs and as many real labels. */
function realLoss(
  name: Objective,
  lossOf: (outputs: AnyTensor, labels: AnyTensor) => Omit<BatchLoss, "weight">,
  check?: (labels: ArrayLike<number>) => void,
): (batch: unknown) => LabelledObjective {
  const labelsOf = (own: LabelledObjective, shape: readonly number[]): AnyTensor => {
    const labels = labelsLike(name, shape, own.labels as Float32Array);
    check?.(own.labels);
    return labels;
  };
  return (batch) => {
    const { values, size: weight } = realLabels(lossText(name), batch);
    const compute = (outputs: unknown) => {
      const predictions = tensorOutputs(name, outputs, "[examples, 1]");
      return { ...lossOf(predictions, stepInput(labelsOf, own, predictions.shape)), weight };
    };
    const own: LabelledObjective = { weight, labels: values, compute };
    return own;
  };
}

function checkShares(labels: ArrayLike<number>): void {
  const at = Array.from(labels).findIndex((value) => !(value >= 0 && value <= 1));
  if (at >= 0)
    throw new RangeError(
      `${lossText("binaryCrossEntropy")} needs labels from 0 to 1, got ${labels[at]} at ${at}: use "crossEntropy" for more classes`,
    );
}

const binaryAccuracy = (predictions: AnyTensor, labels: ArrayLike<number>): number =>
  accuracy(
    predictions,
    Array.from(labels, (label) => label > 0.5),
  );

/** Cross-entropy of logits whose last axis are the classes, and labels of all other axes, in order. */
function classification(
  name: Objective,
  shape: string,
  valuesOf: (asker: string, batch: unknown) => ArrayLike<number>,
): (batch: unknown) => LabelledObjective {
  const labelsOf = ({ labels }: LabelledObjective, sizes: readonly number[]): AnyTensor => {
    const axes = sizes.slice(0, -1);
    if (sizes.length < 2 || sizeOf(axes) !== labels.length) {
      throw new RangeError(
        `${lossText(name)} needs outputs ${shape} for the batch's ${labels.length} labels, got [${sizes.join(", ")}]`,
      );
    }
    return tf.tensor(int32Values(name, labels, axes), axes, "int32");
  };
  return (batch) => {
    const labels = valuesOf(lossText(name), batch);
    const weight = countOf(labels);
    const compute = (outputs: unknown) => {
      const logits = tensorOutputs(name, outputs, shape);
      const classes = stepInput(labelsOf, own, logits.shape);
      const metrics = { accuracy: { tensor: tf.argMax(logits, -1), read: accuracy } };
      return { loss: crossEntropy(logits, classes) as Scalar, metrics, weight };
    };
    const own: LabelledObjective = { weight, labels, compute };
    return own;
  };
}

const countOf = (labels: ArrayLike<number>): number => {
  let counted = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] !== IGNORED) counted++;
  return counted;
};

/** On the float32 list, as PyTorch's mse_loss. */
const squaredError = autocastOp(
  "float32",
  (outputs: AnyTensor, targets: AnyTensor) => meanSquaredError(outputs, targets) as Scalar,
);

/** The labels in the shape of the outputs, since other shapes would be broadcast. */
function labelsLike(name: Objective, outputs: readonly number[], labels: Float32Array): AnyTensor {
  if (labels.length === sizeOf(outputs)) return tf.tensor(labels, [...outputs]);
  if (outputs.length === 2 && outputs[0] === labels.length) {
    throw new RangeError(
      `${lossText(name)} of one label an example: a regression needs a model with 1 output, got ${outputs[1]}: set classes to 1`,
    );
  }
  throw new RangeError(
    `${lossText(name)} needs a label for each output, but the outputs are [${outputs.join(", ")}] and the batch has ${labels.length} labels`,
  );
}

function tensorOutputs(name: Objective, outputs: unknown, shape: string): AnyTensor {
  if (isTensor(outputs)) return outputs;
  const found = outputs instanceof Promise ? "a Promise" : typeof outputs;
  throw new TypeError(
    `${lossText(name)} needs a model whose outputs are a tensor ${shape}, got ${found}: give a loss function for other outputs`,
  );
}
