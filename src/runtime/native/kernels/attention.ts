import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { integers } from "../constants.ts";
import type { AttributeValue } from "../op.ts";
import { type DropoutMask, maskAttributes, withSeed } from "./dropout.ts";
import { runKernel, storageIn } from "./run-kernel.ts";

/** What attention computes besides its operands. */
export interface AttentionRule {
  /** The factor of the scores. */
  scale: number;
  /** Query i sees the keys 0 to i. */
  isCausal?: boolean;
  /** Added to the scores, and the factor of the results: float32 tensors that broadcast to `[batch, heads, queries, keys or 1]`. */
  bias?: Tensor | undefined;
  sees?: Tensor | undefined;
  /** Dropout of the weights. */
  mask?: DropoutMask | undefined;
  /** Of operands side by side. */
  rows?: number;
  heads?: number;
}

/** What the gradient needs of the forward pass besides the operands. */
export interface Attended {
  y: Tensor;
  /** The logarithm of each softmax's sum, `[batch, heads, queries]`. */
  logSums: Tensor;
}

/**
 * Scaled dot-product attention of queries, keys and values `[batch, heads, time, features]`, of which the last two may have fewer
 * heads; or of all three side by side in one tensor `[rows * time, 3 * features]`. All are of one storage, the result too.
 */
export const attention = (x: readonly Tensor[], rule: AttentionRule): Attended =>
  withRule(x, rule, (attributes, inputs) => {
    const [y, logSums] = runKernel("Attention", attributes, inputs, 2);
    return { y: y!, logSums: logSums! };
  });

/** The gradients of the operands. */
export const attentionGradients = (x: readonly Tensor[], { y, logSums }: Attended, dy: Tensor, rule: AttentionRule) =>
  withRule(x, rule, (attributes, inputs) =>
    runKernel("AttentionGrad", { ...attributes, scores: 0 }, [...inputs, y, logSums, dy], x.length),
  );

/** The gradient of the scores `[batch, heads, queries, keys]`, which is that of a bias before it was broadcast. */
export const attentionScoresGradient = (
  x: readonly Tensor[],
  { y, logSums }: Attended,
  dy: Tensor,
  rule: AttentionRule,
) =>
  withRule(x, rule, (attributes, inputs) => {
    const made = runKernel("AttentionGrad", { ...attributes, scores: 1 }, [...inputs, y, logSums, dy], x.length + 1);
    for (const each of made.slice(0, -1)) each.dispose();
    return made.at(-1)!;
  });

function withRule<R>(
  x: readonly Tensor[],
  { scale, isCausal = false, bias, sees, mask, rows = 0, heads = 0 }: AttentionRule,
  f: (attributes: Record<string, AttributeValue>, inputs: Tensor[]) => R,
): R {
  // An input, because a captured step of another batch has other inputs, and not other attributes.
  const batch = x.length === 1 ? integers(rows) : undefined;
  const attributes = {
    ...{
      T: { storage: storageIn(x[0]!) },
      N: x.length,
      batches: Number(!!batch),
      heads,
      score_scale: { float: scale },
    },
    ...{ causal: isCausal, biases: Number(!!bias), sights: Number(!!sees), seeds: Number(!!mask) },
    ...maskAttributes(mask),
  };
  const run = (seed?: Tensor) =>
    f(
      attributes,
      [...x, batch, bias, sees, seed].filter((each) => each !== undefined),
    );
  return mask ? withSeed(mask, run) : run();
}
