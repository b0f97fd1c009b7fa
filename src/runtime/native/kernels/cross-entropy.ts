import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { runKernel, storageIn } from "./run-kernel.ts";

/** Logits `[rows, classes]`, int32 labels `[rows]`, and what the target of a row is. */
export interface Classified {
  logits: Tensor;
  labels: Tensor;
  ignored: number;
  smoothing: number;
  /** Of the classes, float32. */
  weight: Tensor | undefined;
}

/** The cross-entropy of each row, and the logarithm of its softmax's sum in two parts, `[rows, 2]`. All are float32. */
export function crossEntropy({ logits, labels, weight, ...rule }: Classified): { losses: Tensor; logSums: Tensor } {
  const inputs = [logits, labels, ...(weight ? [weight] : [])];
  const [losses, logSums] = runKernel("CrossEntropy", attributesOf({ logits, weight, ...rule }), inputs, 2);
  return { losses: losses!, logSums: logSums! };
}

/** The gradient of the logits, in their storage; `dy` is of every row, or a scalar for all, and of their mean where `isMean`. */
export function crossEntropyGradient(
  dy: Tensor,
  { logits, labels, weight, ...rule }: Classified,
  logSums: Tensor,
  isMean: boolean,
): Tensor {
  const attributes = { ...attributesOf({ logits, weight, ...rule }), mean: isMean };
  return runKernel("CrossEntropyGrad", attributes, [dy, logits, labels, logSums, ...(weight ? [weight] : [])], 1)[0]!;
}

const attributesOf = ({ logits, weight, ignored, smoothing }: Omit<Classified, "labels">) => ({
  ...{ T: { storage: storageIn(logits) }, ignored, smoothing: { float: smoothing }, weights: Number(!!weight) },
});
