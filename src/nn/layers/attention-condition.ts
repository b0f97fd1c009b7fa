import { tf } from "../../runtime/index.ts";
import { checkTensor } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { shapeText } from "../../tensor/names.ts";
import type { AnyTensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { type AttentionMask, causalCondition, checkBroadcast, maskOfVisible } from "../ops/attention-mask.ts";

interface Scores {
  rows: number;
  heads: number;
  time: number;
  keys: number;
  causal: boolean;
}

/** One mask of all that hides keys: a condition or bias, the padding among the keys, and later positions. */
export function attentionCondition(
  name: string,
  given: { mask?: TensorOperand | undefined; keyPadding?: TensorOperand | undefined },
  { rows, heads, time, keys, causal }: Scores,
): AnyTensor | AttentionMask | undefined {
  const mask = given.mask as AnyTensor | undefined;
  const padding = given.keyPadding as AnyTensor | undefined;
  const conditions: AnyTensor[] = [];
  if (mask) {
    checkTensor(name, mask);
    checkBroadcast(name, "mask", mask, [rows, heads, time, keys]);
    if (mask.dtype !== "float32") conditions.push(tf.cast(mask, "bool"));
  }
  if (padding) {
    checkTensor(name, padding);
    if (padding.rank !== 2 || padding.shape[0] !== rows || padding.shape[1] !== keys)
      throw new ShapeError(`${name}: keyPadding must be [${rows}, ${keys}], got ${shapeText(padding)}`);
    // PyTorch adds padding of floats to the scores, so that 0 stands for a token: the opposite of a mask.
    if (padding.dtype === "float32")
      throw new TypeError(`${name}: keyPadding must be bool or int32, true or 1 for a token, got float32`);
    conditions.push(tf.reshape(tf.cast(padding, "bool"), [rows, 1, 1, keys]));
  }
  // A single query sees every earlier key, so that nothing is hidden.
  if (causal && time > 1) conditions.push(causalCondition(time, keys, keys - time) as AnyTensor);
  const [first, ...others] = conditions;
  const visible = others.reduce((all, condition) => tf.logicalAnd(all, condition), first!);
  if (mask?.dtype !== "float32") return visible && maskOfVisible(visible);
  if (!visible) return mask;
  const hidden = tf.where(visible, tf.zeros(visible.shape), tf.fill(visible.shape, Number.NEGATIVE_INFINITY));
  return tf.add(mask, hidden) as AnyTensor;
}

/** Throws ShapeError for positions that are not `[time]` or `[rows, time]`. */
export function checkPositions(
  name: string,
  given: TensorOperand | undefined,
  rows: number,
  time: number,
): AnyTensor | undefined {
  const positions = given as AnyTensor | undefined;
  if (!positions) return undefined;
  checkTensor(name, positions);
  const shape = positions.shape.join();
  if (shape !== `${time}` && shape !== `${rows},${time}`)
    throw new ShapeError(`${name}: the positions must be [${time}] or [${rows}, ${time}], got ${shapeText(positions)}`);
  return positions;
}
