import type { Scalar, Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { autocastOp } from "../amp/index.ts";
import type { Batch } from "../batching/index.ts";
import { labelTensor } from "../nn/index.ts";
import { tf } from "../runtime/index.ts";
import { type AnyTensor, crossEntropy, meanSquaredError } from "../tensor/index.ts";

/** The training objective: cross-entropy for classes, or mean squared error for real labels and a model of one output. */
export type Objective = "crossEntropy" | "meanSquaredError";

export interface LossAndMetrics {
  /** Mean over the batch's sequences. */
  loss: Scalar;
  /** Share of sequences classified correctly; undefined for a regression. */
  accuracy: Scalar | undefined;
}

/** The loss and accuracy of a model's outputs `[sequences, classes]` (`[sequences, 1]` in a regression) for a batch. */
export function computeLoss(objective: Objective, outputs: Tensor2D, batch: Batch): LossAndMetrics {
  if (objective === "crossEntropy") {
    const labels = labelTensor(batch);
    return { loss: crossEntropy(outputs, labels), accuracy: correctShare(outputs, labels) };
  }
  if (outputs.shape[1] !== 1) {
    throw new RangeError(`a regression needs a model with 1 output, got ${outputs.shape[1]}: set classes to 1`);
  }
  if (!batch.labels) throw new TypeError("the batch has no labels: make it from examples with labels");
  return { loss: squaredError(outputs, tf.tensor2d(batch.labels, [batch.labels.length, 1])), accuracy: undefined };
}

export function checkObjective(objective: Objective): void {
  if (objective !== "crossEntropy" && objective !== "meanSquaredError") {
    throw new TypeError(`loss must be "crossEntropy" or "meanSquaredError", got ${JSON.stringify(objective)}`);
  }
}

/** On the float32 list, as PyTorch's mse_loss. */
const squaredError = autocastOp(
  "float32",
  (outputs: Tensor, targets: Tensor) => meanSquaredError(outputs as AnyTensor, targets as AnyTensor) as Scalar,
);

/** Share of the rows whose largest logit is that of the label. */
function correctShare(logits: Tensor2D, labels: Tensor1D): Scalar {
  return tf.tidy(() => tf.mean(tf.cast(tf.equal(tf.argMax(logits, 1), labels), "float32"))) as Scalar;
}
