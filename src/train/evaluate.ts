import { autocast, type HalfType } from "../amp/index.ts";
import type { Batch } from "../batching/index.ts";
import type { Classifier } from "../nn/index.ts";
import { tf } from "../runtime/index.ts";
import { computeLoss, type Objective } from "./loss.ts";

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** The cross-entropy of classes by default. */
  loss?: Objective | undefined;
  /** The half type of the forward pass; float32 by default. */
  autocast?: HalfType | undefined;
}

/**
 * Mean loss and accuracy over all sequences of `batches`, without dropout. The accuracy of a regression is NaN.
 *
 * @throws RangeError when there is no batch
 */
export function evaluate(
  model: Classifier,
  batches: Iterable<Batch>,
  { loss: objective = "crossEntropy", autocast: half }: EvaluateOptions = {},
): { loss: number; accuracy: number } {
  let sequences = 0;
  let loss = 0;
  let right = 0;
  for (const batch of batches) {
    const count = batch.indices.length;
    const forward = () => computeLoss(objective, model.apply(model.parameters, batch), batch);
    const [batchLoss, batchRight = Number.NaN] = tf.tidy(() => {
      const { loss, accuracy } = half ? autocast(half, forward) : forward();
      return [loss, accuracy].map((figure) => figure?.dataSync()[0]);
    });
    sequences += count;
    loss += batchLoss! * count;
    right += batchRight * count;
  }
  if (sequences === 0) throw new RangeError("evaluate: expected at least one batch, got none");
  return { loss: loss / sequences, accuracy: right / sequences };
}
