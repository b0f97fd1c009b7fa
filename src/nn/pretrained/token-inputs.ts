import { type Batch, isRectangle } from "../../batching/batch.ts";
import { attentionMask } from "../../batching/masks.ts";
import { tf } from "../../runtime/index.ts";
import { attentionBias, idTensors } from "../batch-tensors.ts";
import { checkLength } from "../models/transformer-parts.ts";
import { nearby } from "../ops/attention-mask.ts";
import type { Backbone, TokenInputs } from "./architecture.ts";

/** The tensors of a batch that a backbone needs. A replayed step runs this for each batch, so that the batch is checked here. */
export function tokenInputs(batch: Batch, { isCausal, firstPosition = 0, window, sizes }: Backbone): TokenInputs {
  checkBatch(batch, sizes.maxLength);
  const { rows, time, ids, positions, typeIds } = batch;
  const mask = attentionBias(batch, { causal: isCausal });
  const places = firstPosition === 0 ? positions : positions.map((at) => at + firstPosition);
  return {
    ...idTensors({ rows, time, ids, positions: places, mask }),
    ...(typeIds && { typeIds: tf.tensor1d(typeIds, "int32") }),
    ...(window !== undefined &&
      time > window + 1 && {
        nearMask: { bias: tf.tidy(() => nearby(mask && attentionMask(batch), time, window).bias) },
      }),
  };
}

function checkBatch(batch: Batch, maxLength: number): void {
  if (!isRectangle(batch))
    throw new TypeError(
      `pretrained: the model takes a batch, such as dynamicPad(sequences), got ${Array.isArray(batch) ? "an array" : typeof batch}`,
    );
  if (batch.features)
    throw new TypeError("pretrained: the model takes token ids, but the batch has sequences of real numbers");
  checkLength(batch.segmentsPerRow > 1 ? Math.max(...batch.lengths) : batch.time, maxLength);
}
