// Scaled dot-product attention of queries, keys and values by head, and its gradient: what every attention op computes.
// Vaswani et al. 2017 (arXiv 1706.03762), section 3.2. The gradient of the softmax takes its row sums from the output, as in
// FlashAttention (Dao et al. 2022, arXiv 2205.14135, appendix B.2).
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { storageOf } from "../../storage/index.ts";
import { type Dropout, keep, keepMask, keepScale } from "../../tensor/dropout-mask.ts";
import {
  add,
  batchMatMul,
  batchMatMulTransposedA,
  batchMatMulTransposedB,
  multiply,
  reshape,
  softmaxOfRows,
  subtract,
  times,
} from "../../tensor/primitives.ts";
import { type AttentionMask, maskIn, scoreRange, widened } from "./attention-mask.ts";

/** `[batch, heads, time, features]`; keys and values may have fewer heads, each of which serves a group of query heads. */
export interface Operands {
  q: Tensor;
  k: Tensor;
  v: Tensor;
}

export interface AttentionRule {
  /** The factor of the scores. */
  scale: number;
  /** Dropout of the weights; its rate is above 0. */
  drop: Dropout | undefined;
  mask: AttentionMask | undefined;
}

/** What the gradient needs besides the operands. */
export interface Weights {
  /** The softmax of the scores, `[batch, heads, queries, keys]`. */
  weights: Tensor;
  /** What the outputs were multiplied by, where there is a mask with blind rows. */
  factor: Tensor | undefined;
  /** Which weights dropout kept. */
  kept: Tensor | undefined;
}

/** As a list, for the tape; `weightsOf` reads it. */
export const listed = ({ weights, factor, kept }: Weights): Tensor[] =>
  [weights, factor, kept].filter((x) => x !== undefined);

export function weightsOf([weights, ...rest]: readonly Tensor[], drop: Dropout | undefined): Weights {
  const kept = drop && rest.at(-1);
  return { weights: weights!, factor: rest.length > (drop ? 1 : 0) ? rest[0] : undefined, kept };
}

/** The heads of a group side by side along time, so that one product serves the group. */
function byGroup(x: Tensor, k: Tensor): Tensor {
  const [batch, heads, time, size] = x.shape as [number, number, number, number];
  const groups = k.shape[1]!;
  return groups === heads ? x : reshape(x, [batch, groups, (heads / groups) * time, size]);
}

function byHead(x: Tensor, q: Tensor): Tensor {
  const [batch, heads, time] = q.shape as [number, number, number];
  return x.shape[1] === heads ? x : reshape(x, [batch, heads, time, x.shape[3]!]);
}

/** Dropout's factor is applied to the outputs and their gradients, which are far smaller than the weights. */
const factored = (x: Tensor, factor: Tensor | undefined, drop: Dropout | undefined): Tensor =>
  factor ? multiply(x, factor) : drop ? times(x, keepScale(drop)) : x;

/** The outputs `[batch, heads, queries, features]`. The softmax runs in the storage type of the queries. */
export function attend({ q, k, v }: Operands, { scale, drop, mask: given }: AttentionRule): Weights & { y: Tensor } {
  const storage = storageOf(q);
  const range = storage === "float16" ? scoreRange(q, k, scale) : undefined;
  const mask = given && maskIn(storage, given, range);
  const scaled = range ? multiply(q, range.scale) : times(q, scale);
  const scores = byHead(batchMatMulTransposedB(byGroup(scaled, k), k), q);
  const hidden = mask ? add(scores, mask.bias) : scores;
  if (mask) scores.dispose();
  const logits = range ? widened(hidden, range) : hidden;
  const weights = softmaxOfRows(logits);
  for (const x of new Set([hidden, logits])) x.dispose();
  const kept = drop && keepMask(weights.shape, drop);
  const used = kept ? keep(weights, kept) : weights;
  const factor = mask?.sees && drop ? tf.mul(mask.sees, keepScale(drop)) : mask?.sees;
  const y = factored(byHead(batchMatMul(byGroup(used, v), v), q), factor, drop);
  return { y, weights, factor, kept };
}

/**
 * The gradients of the operands. `rowSums: [batch, heads, queries, 1]` are the sums of output times `dy` over the features.
 * `scores` is the gradient of the scores, for a bias that wants one.
 */
export function attentionGradients(
  dy: Tensor,
  rowSums: Tensor,
  { q, k, v }: Operands,
  { weights, factor, kept }: Weights,
  { scale, drop }: Pick<AttentionRule, "scale" | "drop">,
): { dq: Tensor; dk: Tensor; dv: Tensor; scores: Tensor } {
  const dOut = byGroup(factored(dy, factor, drop), v);
  const used = kept ? keep(weights, kept) : weights;
  const dv = batchMatMulTransposedA(byGroup(used, v), dOut);
  if (kept) used.dispose();
  const dUsed = byHead(batchMatMulTransposedB(dOut, v), q);
  const dWeights = kept ? keep(dUsed, kept) : dUsed;
  if (kept) dUsed.dispose();
  const centred = subtract(dWeights, rowSums);
  dWeights.dispose();
  const scores = multiply(weights, centred);
  centred.dispose();
  const grouped = byGroup(scores, k);
  const dq = times(byHead(batchMatMul(grouped, k), q), scale);
  const dk = times(batchMatMulTransposedA(grouped, byGroup(q, k)), scale);
  return { dq, dk, dv, scores };
}
