import type { Scalar, Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { integers, isNative, scalar } from "../../runtime/native/op.ts";
import { mean, multiply, sparseSoftmaxCrossEntropy } from "../../runtime/native/primitives.ts";
import { differentiable } from "../differentiable.ts";

/** Mean of `-log softmax(logits)[label]` over the rows. `logits: [rows, classes]`, `labels: [rows]`, int32. */
export function crossEntropy(logits: Tensor2D, labels: Tensor1D): Scalar {
  const [rows, classes] = logits.shape;
  if (!isNative()) {
    const picked = tf.mul(tf.oneHot(labels, classes), tf.logSoftmax(logits));
    return tf.neg(tf.div(tf.sum(picked), rows)) as Scalar;
  }
  return differentiable(
    [logits],
    (save) => {
      const [losses, gradient] = sparseSoftmaxCrossEntropy(logits, labels);
      save(gradient!);
      return mean(losses!, integers(0));
    },
    (dy, [gradient]) => [multiply(multiply(gradient!, scalar(1 / rows)), dy)],
  ) as Scalar;
}
