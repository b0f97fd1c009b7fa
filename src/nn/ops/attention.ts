import type { Tensor, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { autocastOp } from "../../amp/index.ts";
import { tf } from "../../runtime/index.ts";
import { outside } from "../../runtime/levels.ts";
import { checkRate, type Dropout } from "../../tensor/dropout-mask.ts";
import { checkTensor, differentiable } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { shapeText } from "../../tensor/names.ts";
import { multiply, packThree, reshape, sumOfRows, transpose, unpackThree } from "../../tensor/primitives.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { attend as attendByHead, attentionGradients, listed, weightsOf } from "./attention-core.ts";
import { attendByKernel, gradientsByKernel, savedByKernel } from "./attention-kernel.ts";
import { type AttentionMask, checkBroadcast, maskOf } from "./attention-mask.ts";

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
 * `scaled_dot_product_attention`. The projections and the result are saved for the gradient; without a kernel also the weights
 * `[rows, heads, time, time]` and, with dropout, one byte per weight.
 *
 * `scaledDotProductAttention` takes queries, keys and values apart, of any lengths. Vaswani et al. 2017 (arXiv 1706.03762),
 * section 3.2.
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
  if (bias) checkBroadcast("attention", "bias", bias, [rows, heads, time, time]);
}

/**
 * On autocast's half list as a whole, like PyTorch's `scaled_dot_product_attention`. The softmax runs in half precision too,
 * because in float32 its input and output would be the largest tensors of a step.
 */
const inHalf = autocastOp("half", attend);

function attend(projected: Tensor2D, options: AttentionOptions): Tensor2D {
  const { rows, time, heads, bias } = options;
  const features = projected.shape[1] / 3;
  const size = features / heads;
  const drop = options.dropout && options.dropout.rate > 0 ? options.dropout : undefined;
  const rule = { scale: 1 / Math.sqrt(size), drop };
  const kernelRule = { ...rule, rows, heads };
  const splitHeads = (x: Tensor) => transpose(reshape(x, [rows, time, heads, size]), [0, 2, 1, 3]);
  const mergeHeads = (x: Tensor) => reshape(transpose(x, [0, 2, 1, 3]), [rows * time, features]);
  const separately = (x: Tensor, mask: AttentionMask | undefined) => {
    const byHead = transpose(reshape(x, [rows, time, 3, heads, size]), [2, 0, 3, 1, 4]);
    const [q, k, v] = unpackThree(byHead) as [Tensor, Tensor, Tensor];
    byHead.dispose();
    const { y, ...weights } = attendByHead({ q, k, v }, { ...rule, mask });
    return { y: mergeHeads(y), operands: { q, k, v }, weights };
  };
  const savedSeparately = ([q, k, v, y, ...weights]: readonly Tensor[]) => ({
    y: y!,
    operands: { q: q!, k: k!, v: v! },
    weights: weightsOf(weights, drop),
  });

  const read = bias instanceof tf.Tensor ? [bias] : [bias?.bias, bias?.sees];
  return differentiable("attention", [projected], {
    captured: read.filter((x) => x !== undefined),
    forward: (save) => {
      const mask = bias instanceof tf.Tensor ? maskOf(bias) : bias;
      const result = attendByKernel([projected], mask, kernelRule, save as (tensors: Tensor[]) => void);
      if (result) return result as AnyTensor;
      const { y, operands, weights } = separately(projected, mask);
      save([operands.q, operands.k, operands.v, y, ...listed(weights)] as AnyTensor[]);
      return y as AnyTensor;
    },
    backward: (dy, saved) => [
      () => {
        const byKernel = savedByKernel(saved, 1);
        const found = byKernel && gradientsByKernel(dy, byKernel, kernelRule);
        if (found) return found[0] as AnyTensor;
        const { y, operands, weights } = byKernel
          ? outside(() => separately(byKernel.x[0]!, byKernel.mask))
          : savedSeparately(saved);
        const product = multiply(dy, y as AnyTensor);
        const rowSums = transpose(sumOfRows(reshape(product, [rows, time, heads, size])), [0, 2, 1, 3]);
        product.dispose();
        const gradients = attentionGradients(splitHeads(dy), rowSums, operands, weights, rule);
        gradients.scores.dispose();
        const together = transpose(packThree(gradients.dq, gradients.dk, gradients.dv), [1, 3, 0, 2, 4]);
        return reshape(together, [rows * time, 3 * features]);
      },
    ],
  }) as Tensor2D;
}
