// Hides keys in attention, and keeps scores within the range of float16.
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { type Storage, to } from "../../storage/index.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { noGrad } from "../../tensor/tape.ts";

/** Which keys are hidden from which queries, prepared once for all heads and layers. */
export interface AttentionMask {
  /** Added to the scores: -Infinity at a hidden key, but 0 in rows where every key is hidden, so that they stay finite. */
  bias: Tensor;
  /** 0 in those rows, else 1: `[rows, 1, 1 or time, 1]`. Absent when the results of those rows are not used. */
  sees?: Tensor;
}

/** A bias of this value or below hides a key. */
const HIDES = -1e4;

/** The mask of a bias of `AttentionOptions`. */
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

/** The bias of `maskOfVisible` for values that are on the host, 1 where a query may attend to a key. */
export function biasOfValues(visible: Uint8Array, shape: number[]): AttentionMask {
  const keys = shape.at(-1)!;
  const bias = new Float32Array(visible.length);
  for (let row = 0; row < visible.length; row += keys) {
    if (!visible.subarray(row, row + keys).includes(1)) continue;
    for (let k = row; k < row + keys; k++) if (visible[k] !== 1) bias[k] = Number.NEGATIVE_INFINITY;
  }
  return { bias: tf.tensor(bias, shape) };
}

/** The mask of a condition, true where a query may attend to a key; numbers are true unless they are 0. */
export function maskOfVisible(visible: Tensor): AttentionMask {
  const [bias, sees] = noGrad(() =>
    tf.tidy(() => {
      const isVisible = tf.cast(visible, "bool");
      const sighted = tf.any(isVisible, -1, true);
      // A row that sees nothing hides nothing, so that its softmax is finite.
      const isOpen = tf.logicalOr(isVisible, tf.logicalNot(sighted));
      const hidden = tf.fill(isOpen.shape, Number.NEGATIVE_INFINITY);
      return [tf.where(isOpen, tf.zeros(isOpen.shape), hidden), tf.cast(sighted, "float32")];
    }),
  );
  return { bias: bias!, sees: sees! };
}

/**
 * Which of `keys` keys each of `queries` queries sees, when it sees no later ones: `[queries, keys]`, bool. Before the first query
 * there are `offset` keys.
 */
export function causalCondition(queries: number, keys: number, offset = 0): Tensor2D {
  return tf.tensor2d(causalValues(queries, keys, offset), [queries, keys], "bool");
}

/** Its values. */
export function causalValues(queries: number, keys: number, offset = 0): Uint8Array {
  const sees = new Uint8Array(queries * keys);
  for (let i = 0; i < queries; i++) sees.fill(1, i * keys, i * keys + Math.min(keys, offset + i + 1));
  return sees;
}

/**
 * A causal mask in which each query sees only the last `window` keys up to its own place; the place of the last query is that of the
 * last key. Undefined when nothing is hidden.
 */
export function windowed(
  mask: AttentionMask | undefined,
  { queries, keys, window }: { queries: number; keys: number; window: number },
): AttentionMask | undefined {
  if (keys <= window) return mask;
  const values = new Float32Array(queries * keys);
  for (let i = 0; i < queries; i++) {
    const hidden = Math.max(0, keys - queries + i + 1 - window);
    values.fill(Number.NEGATIVE_INFINITY, i * keys, i * keys + hidden);
  }
  const bias = tf.tensor2d(values, [queries, keys]);
  return mask ? { ...mask, bias: noGrad(() => tf.add(mask.bias, bias)) } : { bias };
}

/**
 * The mask of a condition, or of nothing, in which each token also sees only those at most `window` places away. No loss uses what
 * comes of padding that sees nothing, so it keeps a result that is not 0.
 */
export function nearby(visible: Tensor | undefined, time: number, window: number): AttentionMask {
  const near = new Uint8Array(time * time);
  for (let i = 0; i < time; i++)
    near.fill(1, i * time + Math.max(0, i - window), i * time + Math.min(time, i + window + 1));
  const band = tf.tensor2d(near, [time, time], "bool");
  return { bias: maskOfVisible(visible ? noGrad(() => tf.logicalAnd(visible, band)) : band).bias };
}

/** Both masks at once: of a condition or a bias, and of another condition. */
export function conditioned(mask: Tensor | undefined, visible: Tensor): AttentionMask {
  if (!mask) return maskOfVisible(visible);
  return noGrad(() => {
    if (mask.dtype !== "float32") return maskOfVisible(tf.logicalAnd(tf.cast(mask, "bool"), visible));
    return maskOf(tf.add(to(mask, "float32"), maskOfVisible(visible).bias));
  });
}

/** Throws ShapeError when a mask or bias does not broadcast to the scores. */
export function checkBroadcast(
  op: string,
  what: string,
  mask: Tensor | AttentionMask,
  scores: readonly number[],
): void {
  const { shape } = mask instanceof tf.Tensor ? mask : mask.bias;
  const isRow = shape.length >= 1 && shape.length <= 4;
  const fits = isRow && shape.every((size, i) => size === 1 || size === scores[4 - shape.length + i]);
  if (!fits)
    throw new ShapeError(
      `${op}: the ${what} [${shape.join(", ")}] does not broadcast to the scores [${scores.join(", ")}]`,
    );
}

/** The largest score in float16: half of float16's range, because a bias is added. */
const LARGEST = 2 ** 15;

/** Scores that may exceed float16's range are divided by `factor`, a scalar of at least 1. */
export interface ScoreRange {
  /** The factor of the queries. */
  scale: Tensor;
  factor: Tensor;
}

/** The range for the scores of queries and keys in float16. It has no gradient, because `widened` undoes it. */
export function scoreRange(q: Tensor, k: Tensor, scale: number): ScoreRange {
  const largest = (x: Tensor) => to(tf.max(tf.abs(x)), "float32");
  const [narrowed, factor] = noGrad(() =>
    tf.tidy(() => {
      const bound = tf.mul(tf.mul(largest(q), largest(k)), (q.shape.at(-1)! * Math.abs(scale)) / LARGEST);
      const part = tf.maximum(bound, 1);
      return [to(tf.div(tf.scalar(scale), part), "float16"), part];
    }),
  );
  return { scale: narrowed!, factor: factor! };
}

/** The mask for scores in the given storage type that are divided by the range's factor. */
export function maskIn(storage: Storage, { bias, sees }: AttentionMask, range: ScoreRange | undefined): AttentionMask {
  const part = range ? noGrad(() => tf.div(to(bias, "float32"), range.factor)) : bias;
  return { bias: to(part, storage), ...(sees && { sees: to(sees, storage) }) };
}

/** The scores times the factor, minus the largest of each row, which does not change a softmax. */
export function widened(scores: Tensor, { factor }: ScoreRange): Tensor {
  return tf.tidy(() => {
    const largest = noGrad(() => tf.max(scores, -1, true));
    // Beyond float16's range the softmax selects one key in any case.
    return tf.mul(tf.sub(scores, largest), to(tf.minimum(factor, LARGEST), "float16"));
  });
}
