import type { Scalar } from "@tensorflow/tfjs-node-gpu";
import { autocastOp } from "../amp/index.ts";
import { tf } from "../runtime/index.ts";
import { type AnyTensor, binaryCrossEntropy, crossEntropy, meanSquaredError } from "../tensor/index.ts";
import { int32Values } from "../tensor/int32.ts";
import { isTensor } from "../tensor/tree.ts";
import { accuracy } from "./metrics/classes.ts";
import type { BatchLoss, Objective } from "./objective.ts";
import { classLabels, IGNORED, lossText, nextTokens, realLabels, tokenLabels } from "./targets.ts";

/** An objective with a name. */
interface NamedLoss {
  /** How many the loss is a mean over. */
  weigh(batch: unknown): number;
  compute(outputs: unknown, batch: unknown): BatchLoss;
}

/** The objectives by name. */
export const namedLosses: Record<Objective, NamedLoss> = {
  crossEntropy: classification("crossEntropy", "[examples, classes]", classLabels),
  meanSquaredError: {
    weigh: (batch) => realLabels(lossText("meanSquaredError"), batch).size,
    compute(outputs, batch) {
      const predictions = tensorOutputs("meanSquaredError", outputs, "[examples, 1]");
      const labels = labelsLike("meanSquaredError", predictions, realLabels(lossText("meanSquaredError"), batch));
      return { loss: squaredError(predictions, labels), metrics: {}, weight: labels.size };
    },
  },
  binaryCrossEntropy: {
    weigh: (batch) => realLabels(lossText("binaryCrossEntropy"), batch).size,
    compute(outputs, batch) {
      const logits = tensorOutputs("binaryCrossEntropy", outputs, "[examples, 1]");
      const given = realLabels(lossText("binaryCrossEntropy"), batch);
      const labels = labelsLike("binaryCrossEntropy", logits, given);
      const { values } = given;
      const at = values.findIndex((value) => !(value >= 0 && value <= 1));
      if (at >= 0)
        throw new RangeError(
          `${lossText("binaryCrossEntropy")} needs labels from 0 to 1, got ${values[at]} at ${at}: use "crossEntropy" for more classes`,
        );
      const read = (predictions: AnyTensor) =>
        accuracy(
          predictions,
          Array.from(values, (label) => label > 0.5),
        );
      const metrics = { accuracy: { tensor: tf.reshape(tf.greater(logits, 0), [-1]), read } };
      return { loss: binaryCrossEntropy(logits, labels) as Scalar, metrics, weight: labels.size };
    },
  },
  tokenCrossEntropy: classification("tokenCrossEntropy", "[rows, time, classes]", tokenLabels),
  nextToken: classification("nextToken", "[rows, time, vocabulary]", nextTokens),
};

/** Cross-entropy of logits whose last axis are the classes, and labels of all other axes, in order. */
function classification(
  name: Objective,
  shape: string,
  labelsOf: (asker: string, batch: unknown) => ArrayLike<number>,
): NamedLoss {
  return {
    weigh: (batch) => countOf(labelsOf(lossText(name), batch)),
    compute(outputs, batch) {
      const logits = tensorOutputs(name, outputs, shape);
      const values = labelsOf(lossText(name), batch);
      const axes = logits.shape.slice(0, -1);
      if (logits.rank < 2 || axes.reduce((product, size) => product * size, 1) !== values.length) {
        throw new RangeError(
          `${lossText(name)} needs outputs ${shape} for the batch's ${values.length} labels, got [${logits.shape.join(", ")}]`,
        );
      }
      const labels = tf.tensor(int32Values(name, values, axes), axes, "int32");
      const weight = countOf(values);
      const read = (predictions: AnyTensor) => accuracy(predictions, values);
      const metrics = { accuracy: { tensor: tf.argMax(logits, -1), read } };
      return { loss: crossEntropy(logits, labels) as Scalar, metrics, weight };
    },
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
function labelsLike(name: Objective, outputs: AnyTensor, labels: ReturnType<typeof realLabels>): AnyTensor {
  if (labels.size === outputs.size) return tf.tensor(labels.values, outputs.shape);
  if (outputs.rank === 2 && outputs.shape[0] === labels.size) {
    throw new RangeError(
      `${lossText(name)} of one label an example: a regression needs a model with 1 output, got ${outputs.shape[1]}: set classes to 1`,
    );
  }
  throw new RangeError(
    `${lossText(name)} needs a label for each output, but the outputs are [${outputs.shape.join(", ")}] and the batch has ${labels.size} labels`,
  );
}

function tensorOutputs(name: Objective, outputs: unknown, shape: string): AnyTensor {
  if (isTensor(outputs)) return outputs;
  const found = outputs instanceof Promise ? "a Promise" : typeof outputs;
  throw new TypeError(
    `${lossText(name)} needs a model whose outputs are a tensor ${shape}, got ${found}: give a loss function for other outputs`,
  );
}
