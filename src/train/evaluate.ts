import type { Scalar, Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../batching/index.ts";
import { type Classifier, crossEntropy, labelTensor } from "../nn/index.ts";
import { tf } from "../runtime/index.ts";

/** Mean loss and accuracy over all sequences of `batches`, without dropout. */
export function evaluate(model: Classifier, batches: Iterable<Batch>): { loss: number; accuracy: number } {
  let sequences = 0;
  let loss = 0;
  let right = 0;
  for (const batch of batches) {
    const count = batch.indices.length;
    const [batchLoss, batchRight] = tf.tidy(() => {
      const labels = labelTensor(batch);
      const logits = model.apply(model.parameters, batch);
      return tf.stack([crossEntropy(logits, labels), correctShare(logits, labels)]).dataSync();
    });
    sequences += count;
    loss += batchLoss! * count;
    right += batchRight! * count;
  }
  if (sequences === 0) throw new RangeError("evaluate needs at least one batch");
  return { loss: loss / sequences, accuracy: right / sequences };
}

/** Share of the rows whose largest logit is the label's. */
export function correctShare(logits: Tensor2D, labels: Tensor1D): Scalar {
  return tf.tidy(() => tf.mean(tf.cast(tf.equal(tf.argMax(logits, 1), labels), "float32"))) as Scalar;
}
