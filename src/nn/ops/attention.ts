import type { Tensor, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { autocastOp } from "../../amp/index.ts";
import { tf } from "../../runtime/index.ts";
import { storageOf } from "../../storage/index.ts";
import { checkRate, type Dropout, keep, keepMask, keepScale } from "../../tensor/dropout-mask.ts";
import { checkTensor, differentiable } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { shapeText } from "../../tensor/names.ts";
import {
  add,
  batchMatMul,
  batchMatMulTransposedA,
  batchMatMulTransposedB,
  multiply,
  packThree,
  reshape,
  softmaxOfRows,
  subtract,
  sumOfRows,
  times,
  transpose,
  unpackThree,
} from "../../tensor/primitives.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { type AttentionMask, maskIn, maskOf, type ScoreRange, scoreRange, widened } from "./attention-mask.ts";

/** Options of `attention`. */
export interface AttentionOptions {
  rows: number;
  time: number;
  heads: number;
  /**
   * Added to the scores; a value of -10,000 or below hides a key from a query, whatever its score. `[rows, 1, 1, time]` hides
   * padding, `[rows, 1, time, time]` also separates packed sequences. By default nothing is hidden. An `AttentionMask` is a bias
   * prepared once for every layer.
   */
  bias?: Tensor | AttentionMask | undefined;
  /** Dropout of attention weights; none by default. */
  dropout?: Dropout | undefined;
}

/**
 * Scaled dot-product attention in `heads` heads: `softmax(q k^T / sqrt(d) + bias) v`.
 *
 * `projected: [rows * time, 3 * features]` has queries, keys and values side by side, each split into heads; the result is
 * `[rows * time, features]`. The result of a query whose keys are all hidden is 0, with gradient 0, as in PyTorch's
 * `scaled_dot_product_attention`. Queries, keys, values, the weights `[rows, heads, time, time]` and, with dropout, one byte per
 * weight are saved for the gradient.
 *
 * Vaswani et al. 2017 (arXiv 1706.03762), section 3.2. The gradient of the softmax takes its row sums from the output,
 * as in FlashAttention (Dao et al. 2022, arXiv 2205.14135, appendix B.2).
 *
 * @throws ShapeError when the input does not fit the rows, time and heads, or the bias does not broadcast to the scores
 * @throws RangeError for a dropout rate outside [0, 1)
 */
export function attention(projected: Tensor2D, options: AttentionOptions): Tensor2D {
  checkShapes(projected as AnyTensor, options);
  checkRate("attention", options.dropout?.rate ?? 0);
  return inHalf(projected, options);
}

function checkShapes(projected: AnyTensor, { rows, time, heads, bias }: AttentionOptions): void {
  checkTensor("attention", projected);
  const [tokens, width] = projected.shape as [number, number];
  if (projected.rank !== 2 || tokens !== rows * time || !Number.isInteger(width / (3 * heads)))
    throw new ShapeError(
      `attention: ${shapeText(projected)} must be [rows * time, 3 * features], here ${rows} * ${time} rows and a multiple ` +
        `of ${3 * heads} columns for ${heads} heads`,
    );
  if (bias === undefined) return;
  const { shape } = bias instanceof tf.Tensor ? bias : bias.bias;
  const scores = [rows, heads, time, time];
  const fits = shape.length <= 4 && shape.every((size, i) => size === 1 || size === scores[4 - shape.length + i]);
  if (!fits)
    throw new ShapeError(
      `attention: the bias [${shape.join(", ")}] does not broadcast to the scores [${scores.join(", ")}]`,
    );
}

/**
 * On autocast's half list as a whole, like PyTorch's `scaled_dot_product_attention`. The softmax runs in half precision too,
 * because in float32 its input and output would be the largest tensors of a step.
 */
const inHalf = autocastOp("half", attend);

function attend(projected: Tensor2D, options: AttentionOptions): Tensor2D {
  const { rows, time, heads } = options;
  const features = projected.shape[1] / 3;
  const size = features / heads;
  const scale = 1 / Math.sqrt(size);
  const drop = options.dropout && options.dropout.rate > 0 ? options.dropout : undefined;
  const prepared = preparedFor(options, projected, scale);
  const splitHeads = (x: Tensor) => transpose(reshape(x, [rows, time, heads, size]), [0, 2, 1, 3]);
  const mergeHeads = (x: Tensor) => reshape(transpose(x, [0, 2, 1, 3]), [rows * time, features]);
  /** Dropout's factor is applied to the outputs and their gradients, which are far smaller than the weights. */
  const factored = (x: Tensor, factor: Tensor | undefined) =>
    factor ? multiply(x, factor) : drop ? times(x, keepScale(drop)) : x;

  const mask = options.bias instanceof tf.Tensor ? [options.bias] : [options.bias?.bias, options.bias?.sees];
  return differentiable("attention", [projected], {
    captured: mask.filter((x) => x !== undefined),
    forward: (save) => {
      const byHead = transpose(reshape(projected, [rows, time, 3, heads, size]), [2, 0, 3, 1, 4]);
      const [q, k, v] = unpackThree(byHead) as [Tensor, Tensor, Tensor];
      byHead.dispose();
      const { range, mask } = prepared(q, k);
      const scaled = range ? multiply(q, range.scale) : times(q, scale);
      const scores = batchMatMulTransposedB(scaled, k);
      const hidden = mask ? add(scores, mask.bias) : scores;
      if (mask) scores.dispose();
      const logits = range ? widened(hidden, range) : hidden;
      const weights = softmaxOfRows(logits);
      for (const x of new Set([hidden, logits])) x.dispose();
      const kept = drop && keepMask(weights.shape, drop);
      const used = kept ? keep(weights, kept) : weights;
      const factor = mask?.sees && drop ? tf.mul(mask.sees, keepScale(drop)) : mask?.sees;
      const y = mergeHeads(factored(batchMatMul(used, v), factor));
      save([q, k, v, weights, y, ...[factor, kept].filter((x) => x !== undefined)]);
      return y;
    },
    backward: (dy, [q, k, v, weights, y, ...rest]) => [
      () => {
        const kept = drop && rest.at(-1);
        const factor = rest.length > (drop ? 1 : 0) ? rest[0] : undefined;
        const dOut = factored(splitHeads(dy), factor);
        const used = kept ? keep(weights!, kept) : weights!;
        const dv = batchMatMulTransposedA(used, dOut);
        if (kept) used.dispose();
        const dUsed = batchMatMulTransposedB(dOut, v!);
        const dWeights = kept ? keep(dUsed, kept) : dUsed;
        if (kept) dUsed.dispose();
        const rowSums = sumOfRows(reshape(multiply(dy, y!), [rows, time, heads, size]));
        const centred = subtract(dWeights, transpose(rowSums, [0, 2, 1, 3]));
        dWeights.dispose();
        const dScores = multiply(weights!, centred);
        centred.dispose();
        const dq = times(batchMatMul(dScores, k!), scale);
        const dk = times(batchMatMulTransposedA(dScores, q!), scale);
        dScores.dispose();
        const together = transpose(packThree(dq, dk, dv), [1, 3, 0, 2, 4]);
        return reshape(together, [rows * time, 3 * features]);
      },
    ],
  }) as Tensor2D;
}

/** The score range and the mask for queries and keys, in their storage type. */
function preparedFor({ bias }: AttentionOptions, projected: Tensor2D, scale: number) {
  const storage = storageOf(projected);
  return (q: Tensor, k: Tensor): { range?: ScoreRange | undefined; mask?: AttentionMask | undefined } => {
    const range = storage === "float16" ? scoreRange(q, k, scale) : undefined;
    const mask = bias instanceof tf.Tensor ? maskOf(bias) : bias;
    return { range, mask: mask && maskIn(storage, mask, range) };
  };
}
