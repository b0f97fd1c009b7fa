// Losses that are quadratic near 0 and linear elsewhere.
import { differentiable, run, scalarOf } from "./engine.ts";
import { type LossOptions, type LossReduction, ofPairs, type Reduced, reduced } from "./losses.ts";
import { multiply, subtract, times } from "./primitives.ts";
import type { IfSameShape } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * The Huber loss, `d² / 2` where `d = |predictions - targets|` is at most `delta`, 1 by default, and `delta * (d - delta / 2)`
 * elsewhere: a scalar, or elementwise in any shape with the reduction "none"; "mean" by default
 * (`torch.nn.functional.huber_loss`; Huber 1964).
 *
 * @throws ShapeError when the shapes differ; RangeError when `delta` is not positive; TypeError for an unknown reduction
 */
export function huberLoss<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  predictions: A,
  targets: IfSameShape<"huberLoss", ShapeOf<A>, ShapeOf<B>, B>,
  options?: LossOptions<R> & { delta?: number },
): Tensor<Reduced<ShapeOf<A>, R>, "float32">;
export function huberLoss(
  a: AnyTensor,
  b: AnyTensor,
  { reduction = "mean", delta = 1 }: LossOptions & { delta?: number } = {},
): AnyTensor {
  if (!(delta > 0)) throw new RangeError(`huberLoss: delta must be more than 0, got ${delta}`);
  return bentLoss("huberLoss", a, b, { bend: delta, slope: delta, reduction });
}

/**
 * The smooth L1 loss, `d² / (2 * beta)` where `d = |predictions - targets|` is below `beta`, 1 by default, and `d - beta / 2`
 * elsewhere: a scalar, or elementwise in any shape with the reduction "none"; "mean" by default
 * (`torch.nn.functional.smooth_l1_loss`; Girshick 2015, arXiv 1504.08083).
 *
 * @throws ShapeError when the shapes differ; RangeError when `beta` is negative; TypeError for an unknown reduction
 */
export function smoothL1Loss<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  predictions: A,
  targets: IfSameShape<"smoothL1Loss", ShapeOf<A>, ShapeOf<B>, B>,
  options?: LossOptions<R> & { beta?: number },
): Tensor<Reduced<ShapeOf<A>, R>, "float32">;
export function smoothL1Loss(
  a: AnyTensor,
  b: AnyTensor,
  { reduction = "mean", beta = 1 }: LossOptions & { beta?: number } = {},
): AnyTensor {
  if (!(beta >= 0)) throw new RangeError(`smoothL1Loss: beta must be 0 or more, got ${beta}`);
  return bentLoss("smoothL1Loss", a, b, { bend: beta, slope: 1, reduction });
}

/** Where the parabola ends, and the slope from there on. */
interface Bend {
  bend: number;
  slope: number;
  reduction: LossReduction;
}

function bentLoss(op: string, a: AnyTensor, b: AnyTensor, { bend, slope, reduction }: Bend): AnyTensor {
  return ofPairs(op, a, b, (p, t) => {
    const off = run("Sub", { a: p, b: t });
    return reduced(op, bend === 0 ? run("Abs", { x: off }) : bent(op, off, bend, slope), reduction);
  });
}

/** `near * (|x| - near / 2) * slope / bend` with `near = min(|x|, bend)`. */
function bent(op: string, x: AnyTensor, bend: number, slope: number): AnyTensor {
  const factor = slope / bend;
  return differentiable(op, [x], {
    forward: () => {
      const distance = run("Abs", { x });
      const near = run("Minimum", { a: distance, b: scalarOf(bend, "float32") });
      return times(multiply(near, subtract(distance, times(near, 0.5))), factor);
    },
    keep: () => [x],
    backward: (dy, [kept]) => [
      () => {
        const clipped = run("ClipByValue", { x: kept! }, { clipValueMin: -bend, clipValueMax: bend });
        return multiply(dy, times(clipped, factor));
      },
    ],
  });
}
