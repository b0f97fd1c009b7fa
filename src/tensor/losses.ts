// Losses as PyTorch defines them.

import { cast, checkTensor, reduceOver, run, sameShape, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { inFloat32 } from "./half.ts";
import { namesOf, shapeText } from "./names.ts";
import type { IfSameShape, Shape } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** How the losses of the elements are combined: to their mean, their sum, or not at all. */
export type LossReduction = "mean" | "sum" | "none";

/** Options of a loss. */
export interface LossOptions<R extends LossReduction = LossReduction> {
  reduction?: R;
}

export type Reduced<S extends Shape, R extends LossReduction> = R extends "none" ? S : [];

export function reduced(
  op: string,
  losses: AnyTensor,
  reduction: LossReduction,
  known = "mean, sum or none",
): AnyTensor {
  if (reduction === "none") return losses;
  if (reduction !== "mean" && reduction !== "sum")
    throw new TypeError(`${op}: the reduction must be ${known}, got ${reduction}`);
  return reduceOver(reduction === "mean" ? "Mean" : "Sum", losses, [...losses.shape.keys()]);
}

/** Requires equal shapes, because broadcasting would give more losses than predictions. */
export function checkSameShape(op: string, a: AnyTensor, b: AnyTensor): void {
  const [left, right] = [namesOf(a), namesOf(b)];
  const clash = left?.some((name, i) => name !== undefined && right?.[i] !== undefined && name !== right[i]);
  if (clash || !sameShape(a.shape, b.shape))
    throw new ShapeError(`${op}: the shapes ${shapeText(a)} and ${shapeText(b)} must be the same; reshape one of them`);
}

/** Runs `f` on predictions and targets of the same shape, as float32. */
export function ofPairs(
  op: string,
  predictions: AnyTensor,
  targets: AnyTensor,
  f: (predictions: AnyTensor, targets: AnyTensor) => AnyTensor,
): AnyTensor {
  checkTensor(op, predictions);
  checkTensor(op, targets);
  checkSameShape(op, predictions, targets);
  return inFloat32(op, "float32", [predictions, targets], (p, t) =>
    scoped(op, () => f(cast(p, "float32"), cast(t, "float32"))),
  );
}

/**
 * The mean squared error, `mean((predictions - targets) ** 2)`: a scalar, or elementwise in any shape with the reduction "none";
 * "mean" by default (`torch.nn.functional.mse_loss`).
 *
 * @throws ShapeError when the shapes differ; TypeError for an unknown reduction
 */
export function meanSquaredError<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  predictions: A,
  targets: IfSameShape<"meanSquaredError", ShapeOf<A>, ShapeOf<B>, B>,
  options?: LossOptions<R>,
): Tensor<Reduced<ShapeOf<A>, R>, "float32">;
export function meanSquaredError(a: AnyTensor, b: AnyTensor, { reduction = "mean" }: LossOptions = {}): AnyTensor {
  return ofPairs("meanSquaredError", a, b, (p, t) =>
    reduced("meanSquaredError", run("Square", { x: run("Sub", { a: p, b: t }) }), reduction),
  );
}

/**
 * The mean absolute error, `mean(|predictions - targets|)`: a scalar, or elementwise in any shape with the reduction "none";
 * "mean" by default (`torch.nn.functional.l1_loss`).
 *
 * @throws ShapeError when the shapes differ; TypeError for an unknown reduction
 */
export function meanAbsoluteError<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  predictions: A,
  targets: IfSameShape<"meanAbsoluteError", ShapeOf<A>, ShapeOf<B>, B>,
  options?: LossOptions<R>,
): Tensor<Reduced<ShapeOf<A>, R>, "float32">;
export function meanAbsoluteError(a: AnyTensor, b: AnyTensor, { reduction = "mean" }: LossOptions = {}): AnyTensor {
  return ofPairs("meanAbsoluteError", a, b, (p, t) =>
    reduced("meanAbsoluteError", run("Abs", { x: run("Sub", { a: p, b: t }) }), reduction),
  );
}

/**
 * The binary cross-entropy of logits x and targets t in [0, 1], `mean(softplus(x) - x * t)`, without overflow: a scalar, or
 * elementwise in any shape with the reduction "none"; "mean" by default
 * (`torch.nn.functional.binary_cross_entropy_with_logits`).
 *
 * @throws ShapeError when the shapes differ; TypeError for an unknown reduction
 */
export function binaryCrossEntropy<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  logits: A,
  targets: IfSameShape<"binaryCrossEntropy", ShapeOf<A>, ShapeOf<B>, B>,
  options?: LossOptions<R>,
): Tensor<Reduced<ShapeOf<A>, R>, "float32">;
export function binaryCrossEntropy(
  x: AnyTensor,
  targets: AnyTensor,
  { reduction = "mean" }: LossOptions = {},
): AnyTensor {
  return ofPairs("binaryCrossEntropy", x, targets, (logits, truth) => {
    const soft = run("Softplus", { x: logits });
    const losses = run("Sub", { a: soft, b: run("Multiply", { a: logits, b: truth }) });
    return reduced("binaryCrossEntropy", losses, reduction);
  });
}
