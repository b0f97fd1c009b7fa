// What keeps hidden keys out of attention, and its scores within what float16 holds.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { type Storage, to } from "../../storage/index.ts";
import { noGrad } from "../../tensor/tape.ts";

/** Which keys are hidden from which queries, once for all heads. */
export interface AttentionMask {
  /** Added to the scores: -Infinity at a hidden key, but 0 in rows where every key is hidden, which stay finite. */
  bias: Tensor;
  /** 0 in those rows, else 1: `[rows, 1, 1 or time, 1]`. Absent when nothing uses what comes of them. */
  sees?: Tensor;
}

/** A bias of this and below hides a key. */
const HIDES = -1e4;

/** The mask of a bias as `AttentionOptions` has it. */
export function maskOf(bias: Tensor): AttentionMask {
  const [hiding, sees] = noGrad(() =>
    tf.tidy(() => {
      const full = to(bias, "float32");
      const blind = tf.lessEqual(tf.max(full, -1, true), HIDES);
      const instead = tf.where(blind, tf.zeros(blind.shape), tf.fill(blind.shape, Number.NEGATIVE_INFINITY));
      return [tf.where(tf.lessEqual(full, HIDES), instead, full), tf.cast(tf.logicalNot(blind), "float32")];
    }),
  );
  return { bias: hiding!, sees: sees! };
}

/** The largest score that float16 is to hold: half of what it can, for a bias is added to it. */
const LARGEST = 2 ** 15;

/** Scores that may be larger than float16 holds are computed as their part in `factor`, a scalar of at least 1. */
export interface ScoreRange {
  /** What the queries are multiplied by. */
  scale: Tensor;
  factor: Tensor;
}

/** The range that the scores of queries and keys in float16 need. No gradient passes: `widened` undoes it. */
export function scoreRange(q: Tensor, k: Tensor, scale: number): ScoreRange {
  const largest = (x: Tensor) => to(tf.max(tf.abs(x)), "float32");
  const [narrowed, factor] = noGrad(() =>
    tf.tidy(() => {
      const bound = tf.mul(tf.mul(largest(q), largest(k)), (q.shape.at(-1)! * scale) / LARGEST);
      const part = tf.maximum(bound, 1);
      return [to(tf.div(tf.scalar(scale), part), "float16"), part];
    }),
  );
  return { scale: narrowed!, factor: factor! };
}

/** The mask beside scores that are stored as `storage`, and that are a part of themselves. */
export function maskIn(storage: Storage, { bias, sees }: AttentionMask, range: ScoreRange | undefined): AttentionMask {
  const part = range ? noGrad(() => tf.div(to(bias, "float32"), range.factor)) : bias;
  return { bias: to(part, storage), ...(sees && { sees: to(sees, storage) }) };
}

/** The scores at their own size, less the largest of each row, which a softmax does not notice. */
export function widened(scores: Tensor, { factor }: ScoreRange): Tensor {
  return tf.tidy(() => {
    const largest = noGrad(() => tf.max(scores, -1, true));
    // What is larger than float16 lets the softmax choose one key in any case.
    return tf.mul(tf.sub(scores, largest), to(tf.minimum(factor, LARGEST), "float16"));
  });
}
