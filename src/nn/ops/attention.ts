import type { Tensor, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { autocastOp, storageOf, to } from "../../amp/index.ts";
import { tf } from "../../runtime/index.ts";
import { differentiable } from "../differentiable.ts";
import { integers, isNative, scalar } from "../native.ts";
import { type Dropout, dropout, keep, keepMask, keepScale } from "./dropout.ts";
import {
  add,
  batchMatMul,
  batchMatMulTransposedA,
  batchMatMulTransposedB,
  multiply,
  packThree,
  reshape,
  softmax,
  subtract,
  sumKeepingAxis,
  transpose,
  unpackThree,
} from "./primitives.ts";

export interface AttentionOptions {
  rows: number;
  time: number;
  heads: number;
  /**
   * Added to the scores: 0 where a query may look at a key, a large negative number where it may not. `[rows, 1, 1, time]`
   * hides padding, `[rows, 1, time, time]` also keeps packed sequences apart. Absent when nothing is hidden.
   */
  bias?: Tensor | undefined;
  /** Drops attention weights. */
  dropout?: Dropout | undefined;
}

/**
 * Scaled dot-product attention in `heads` heads: `softmax(q k^T / sqrt(d) + bias) v`.
 *
 * `projected: [rows * time, 3 * features]` holds queries, keys and values side by side, each split into heads; the result
 * is `[rows * time, features]`. Kept for the gradient: queries, keys, values, the weights `[rows, heads, time, time]`
 * and, with dropout, one byte a weight.
 *
 * Vaswani et al. 2017 (arXiv 1706.03762), section 3.2. The gradient of the softmax takes its row sums from the output,
 * as in FlashAttention (Dao et al. 2022, arXiv 2205.14135, appendix B.2).
 */
export function attention(projected: Tensor2D, options: AttentionOptions): Tensor2D {
  return inHalf(projected, options);
}

/**
 * On autocast's half list as a whole, like PyTorch's `scaled_dot_product_attention`; the softmax in half too, since in
 * float32 its input and output would be the largest tensors of a step.
 */
const inHalf = autocastOp("half", attend);

function attend(projected: Tensor2D, options: AttentionOptions): Tensor2D {
  const { rows, time, heads } = options;
  const bias = options.bias && to(options.bias, storageOf(projected));
  const features = projected.shape[1] / 3;
  const size = features / heads;
  const scale = 1 / Math.sqrt(size);
  const drop = options.dropout && options.dropout.rate > 0 ? options.dropout : undefined;
  if (!isNative()) return portable(projected, options, size, scale);

  const splitHeads = (x: Tensor) => transpose(reshape(x, integers(rows, time, heads, size)), integers(0, 2, 1, 3));
  const mergeHeads = (x: Tensor) => reshape(transpose(x, integers(0, 2, 1, 3)), integers(rows * time, features));
  // Dropout's factor is applied to the outputs and their gradients, which are far smaller than the weights.
  const rescaled = (x: Tensor) => (drop ? multiply(x, scalar(keepScale(drop))) : x);

  const forward = (save: (...tensors: Tensor[]) => void) => {
    const byHead = transpose(reshape(projected, integers(rows, time, 3, heads, size)), integers(2, 0, 3, 1, 4));
    const [q, k, v] = unpackThree(byHead) as [Tensor, Tensor, Tensor];
    byHead.dispose();
    const scores = batchMatMulTransposedB(multiply(q, scalar(scale)), k);
    const hidden = bias ? add(scores, bias) : scores;
    if (bias) scores.dispose();
    const weights = softmax(hidden);
    hidden.dispose();
    const mask = drop && keepMask(weights.shape, drop);
    const used = mask ? keep(weights, mask) : weights;
    const y = mergeHeads(rescaled(batchMatMul(used, v)));
    save(q, k, v, weights, y, ...(mask ? [mask] : []));
    return y;
  };
  return differentiable([projected], forward, (dy, [q, k, v, weights, y, mask]) => {
    const dOut = rescaled(splitHeads(dy));
    const used = mask ? keep(weights!, mask) : weights!;
    const dv = batchMatMulTransposedA(used, dOut);
    if (mask) used.dispose();
    const dUsed = batchMatMulTransposedB(dOut, v!);
    const dWeights = mask ? keep(dUsed, mask) : dUsed;
    if (mask) dUsed.dispose();
    const rowSums = sumKeepingAxis(reshape(multiply(dy, y!), integers(rows, time, heads, size)), integers(3));
    const centred = subtract(dWeights, transpose(rowSums, integers(0, 2, 1, 3)));
    dWeights.dispose();
    const dScores = multiply(weights!, centred);
    centred.dispose();
    const dq = multiply(batchMatMul(dScores, k!), scalar(scale));
    const dk = multiply(batchMatMulTransposedA(dScores, q!), scalar(scale));
    dScores.dispose();
    const together = transpose(packThree(dq, dk, dv), integers(1, 3, 0, 2, 4));
    return [reshape(together, integers(rows * time, 3 * features))];
  }) as Tensor2D;
}

function portable(projected: Tensor2D, options: AttentionOptions, size: number, scale: number): Tensor2D {
  const { rows, time, heads, bias } = options;
  const byHead = tf.transpose(tf.reshape(projected, [rows, time, 3, heads, size]), [2, 0, 3, 1, 4]);
  const [q, k, v] = tf.unstack(byHead) as [Tensor, Tensor, Tensor];
  const scores = tf.mul(tf.matMul(q, k, false, true), scale);
  const weights = dropout(tf.softmax(bias ? tf.add(scores, bias) : scores), options.dropout);
  return tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), [rows * time, heads * size]);
}
