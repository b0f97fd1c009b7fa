// Attention by one kernel, where it may be used. Its saved tensors are told from those of separate ops by the rank of the sums.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import * as kernels from "../../runtime/native/kernels/index.ts";
import { storageOf } from "../../storage/index.ts";
import { type Dropout, maskOfKernel } from "../../tensor/dropout-mask.ts";
import { canFuse } from "../../tensor/fused.ts";
import type { AttentionMask } from "./attention-mask.ts";

/** What is computed: `rows` and `heads` for operands side by side. */
export interface KernelRule {
  scale: number;
  drop: Dropout | undefined;
  isCausal?: boolean;
  rows?: number;
  heads?: number;
}

/** What the kernel saves for the gradient: the operands, the result, the sums of the softmax, and the mask. */
export interface Saved {
  x: Tensor[];
  attended: kernels.Attended;
  mask: AttentionMask | undefined;
}

const ruleOf = ({ drop, ...rule }: KernelRule, mask: AttentionMask | undefined): kernels.AttentionRule => ({
  ...rule,
  bias: mask?.bias,
  sees: mask?.sees,
  mask: maskOfKernel(drop),
});

/** The result, or undefined where the kernel may not be used; `save` gets what the gradient needs. */
export function attendByKernel(
  x: Tensor[],
  mask: AttentionMask | undefined,
  rule: KernelRule,
  save: (tensors: Tensor[]) => void,
): Tensor | undefined {
  if (!canFuse("any", ...x) || x.some((each) => storageOf(each) !== storageOf(x[0]!))) return undefined;
  const masks = [mask?.bias, mask?.sees].filter((each) => each !== undefined);
  if (!canFuse("float32", ...masks)) return undefined;
  const { y, logSums } = kernels.attention(x, ruleOf(rule, mask));
  save([...x, y, logSums, ...masks]);
  return y;
}

/** What `attendByKernel` saved of so many operands; undefined for what separate ops saved, which have no sums of rank 3. */
export function savedByKernel(saved: readonly Tensor[], operands: number): Saved | undefined {
  const [y, logSums, bias, sees] = saved.slice(operands);
  if (logSums?.rank !== 3) return undefined;
  const mask = bias && { bias, ...(sees && { sees }) };
  return { x: saved.slice(0, operands), attended: { y: y!, logSums }, mask };
}

/** The gradients of the operands; undefined where the kernel may not be used. */
export function gradientsByKernel(dy: Tensor, { x, attended, mask }: Saved, rule: KernelRule): Tensor[] | undefined {
  if (!canFuse("any", dy, ...x) || storageOf(dy) !== storageOf(x[0]!)) return undefined;
  return kernels.attentionGradients(x, attended, dy, ruleOf(rule, mask));
}

/** The gradient of the scores. */
export const scoresGradientByKernel = (dy: Tensor, { x, attended, mask }: Saved, rule: KernelRule): Tensor =>
  kernels.attentionScoresGradient(x, attended, dy, ruleOf(rule, mask));
