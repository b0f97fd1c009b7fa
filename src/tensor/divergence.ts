// Losses of distributions.
import { atLeast } from "./at-least.ts";
import { cast, checkTensor, run, sameShape, scalarOf, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { inFloat32 } from "./half.ts";
import { checkSameShape, type LossOptions, type LossReduction, ofPairs, type Reduced, reduced } from "./losses.ts";
import { shapeText } from "./names.ts";
import { add, exp, multiply, plus, subtract, times } from "./primitives.ts";
import type { IfSameShape } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** How the losses of `klDivergence` are combined; `"batchMean"` is their sum over the size of the first axis. */
export type DivergenceReduction = LossReduction | "batchMean";

/** Options of `klDivergence`. */
export interface DivergenceOptions<R extends DivergenceReduction = DivergenceReduction> {
  /** `"mean"` over all elements by default, as in PyTorch; `"batchMean"` is the divergence of the definition. */
  reduction?: R;
  /** Whether the targets are log-probabilities too; false by default. */
  logTarget?: boolean;
}

/**
 * The Kullback-Leibler divergence of log-probabilities from target probabilities, elementwise `target * (log(target) - input)`, in
 * any shape (`torch.nn.functional.kl_div`): a scalar, or elementwise with the reduction "none". The input is log-probabilities,
 * for instance of `logSoftmax`. A target of 0 contributes 0.
 *
 * @throws ShapeError when the shapes differ; TypeError for an unknown reduction
 */
export function klDivergence<A extends TensorOperand, B extends TensorOperand, R extends DivergenceReduction = "mean">(
  logProbabilities: A,
  targets: IfSameShape<"klDivergence", ShapeOf<A>, ShapeOf<B>, B>,
  options?: DivergenceOptions<R>,
): Tensor<R extends "none" ? ShapeOf<A> : [], "float32">;
export function klDivergence(
  input: AnyTensor,
  targets: AnyTensor,
  { reduction = "mean", logTarget = false }: DivergenceOptions = {},
): AnyTensor {
  return ofPairs("klDivergence", input, targets, (logs, target) => {
    const losses = logTarget
      ? multiply(exp(target), subtract(target, logs))
      : subtract(multiply(target, logOrZero(target)), multiply(target, logs));
    if (reduction !== "batchMean") return reduced("klDivergence", losses, reduction, "mean, batchMean, sum or none");
    return times(reduced("klDivergence", losses, "sum"), 1 / (input.shape[0] ?? 1));
  });
}

/** The logarithm; 0 of 0. */
function logOrZero(x: AnyTensor): AnyTensor {
  const condition = run("Equal", { a: x, b: scalarOf(0, "float32") });
  return run("Log", { x: run("Select", { condition, t: run("OnesLike", { x }), e: x }) });
}

/** Options of `gaussianNllLoss`. */
export interface GaussianNllOptions<R extends LossReduction = LossReduction> extends LossOptions<R> {
  /** Adds the constant `log(2π) / 2`; false by default. */
  full?: boolean;
  /** The smallest variance; a smaller one counts as this. 1e-6 by default. */
  epsilon?: number;
}

/**
 * The negative log-likelihood of targets under normal distributions with these means and variances,
 * `(log(variance) + (target - mean)² / variance) / 2` (`torch.nn.functional.gaussian_nll_loss`; Nix & Weigend 1994): a scalar, or
 * elementwise in any shape with the reduction "none"; "mean" by default. The variance has the shape of the means, or one value for
 * each row, `[..., 1]`.
 *
 * @throws ShapeError when the shapes do not fit; TypeError for an unknown reduction
 */
export function gaussianNllLoss<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  means: A,
  targets: IfSameShape<"gaussianNllLoss", ShapeOf<A>, ShapeOf<B>, B>,
  variances: TensorOperand,
  options?: GaussianNllOptions<R>,
): Tensor<Reduced<ShapeOf<A>, R>, "float32">;
export function gaussianNllLoss(
  means: AnyTensor,
  targets: AnyTensor,
  givenVariances: TensorOperand,
  { reduction = "mean", full = false, epsilon = 1e-6 }: GaussianNllOptions = {},
): AnyTensor {
  const op = "gaussianNllLoss";
  const variances = givenVariances as AnyTensor;
  for (const x of [means, targets, variances]) checkTensor(op, x);
  checkSameShape(op, means, targets);
  if (!sameShape(variances.shape, means.shape) && !sameShape(variances.shape, [...means.shape.slice(0, -1), 1]))
    throw new ShapeError(
      `${op}: the variances ${shapeText(variances)} must have the shape of the means ${shapeText(means)}, or 1 as their last size`,
    );
  return inFloat32(op, "float32", [means, targets, variances], (m, t, v) =>
    scoped(op, () => {
      const variance = atLeast(op, cast(v, "float32"), epsilon);
      const off = subtract(cast(m, "float32"), cast(t, "float32"));
      const scaled = run("RealDiv", { a: run("Square", { x: off }), b: variance });
      const losses = times(add(run("Log", { x: variance }), scaled), 0.5);
      return reduced(op, full ? plus(losses, Math.log(2 * Math.PI) / 2) : losses, reduction);
    }),
  );
}
