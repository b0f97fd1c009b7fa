// The cosine of the angle between vectors.
import { atLeast } from "./at-least.ts";
import { axisIndex } from "./axes.ts";
import { broadcastNames, broadcastShape, expandTo } from "./broadcast.ts";
import { cast, checkTensor, reduceOver, run, sameShape, scalarOf, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { inFloat32 } from "./half.ts";
import {
  checkSameShape,
  type LossOptions,
  type LossReduction,
  type Reduced as ReducedLoss,
  reduced,
} from "./losses.ts";
import { label, shapeText } from "./names.ts";
import { multiply, plus, sumOfRows, times } from "./primitives.ts";
import type { Axis, AxisOf, Reduced } from "./types/axis.ts";
import type { Broadcast, IfBroadcast } from "./types/broadcast.ts";
import type { AllButLast, IfSameShape } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * The cosine of the angle between vectors along an axis, the last by default, whose shapes broadcast: `[n, features]` and
 * `[n, features]` give `[n]` (`torch.nn.functional.cosine_similarity`, whose default axis is 1). Each norm is at least `epsilon`, 1e-8
 * by default, so the cosine of a vector of zeros is 0.
 *
 * @throws ShapeError when the shapes do not broadcast, or for an unknown axis
 */
export function cosineSimilarity<A extends TensorOperand, B extends TensorOperand, const X extends Axis = -1>(
  a: A,
  b: IfBroadcast<"cosineSimilarity", ShapeOf<A>, ShapeOf<B>, B>,
  axis?: AxisOf<"cosineSimilarity", Broadcast<ShapeOf<A>, ShapeOf<B>, A>, X>,
  options?: { epsilon?: number },
): Tensor<Reduced<Broadcast<ShapeOf<A>, ShapeOf<B>, A>, X>, "float32">;
export function cosineSimilarity(
  a: AnyTensor,
  b: AnyTensor,
  axis: Axis = -1,
  { epsilon = 1e-8 }: { epsilon?: number } = {},
): AnyTensor {
  const op = "cosineSimilarity";
  checkTensor(op, a);
  checkTensor(op, b);
  const names = broadcastNames(op, a, b);
  const shape = broadcastShape(a.shape, b.shape);
  const named = typeof axis === "string" ? (names?.indexOf(axis) ?? -1) : -1;
  const place = axisIndex(op, a, named >= 0 ? named : axis, shape.length);
  return inFloat32(op, "float32", [a, b], (left, right) =>
    scoped(op, () => {
      const [x, y] = [left, right].map((each) => expandTo(cast(each, "float32"), shape)) as [AnyTensor, AnyTensor];
      const dot = (p: AnyTensor, q: AnyTensor) => reduceOver("Sum", multiply(p, q), [place]);
      const norm = (p: AnyTensor) => atLeast(op, rootOrZero(dot(p, p)), epsilon);
      const cosine = run("RealDiv", { a: run("RealDiv", { a: dot(x, y), b: norm(x) }), b: norm(y) });
      return label(cosine, names?.toSpliced(place, 1));
    }),
  );
}

/** The square root; its gradient at 0 is 0 and not infinite. */
function rootOrZero(x: AnyTensor): AnyTensor {
  const condition = run("Equal", { a: x, b: scalarOf(0, "float32") });
  const root = run("Sqrt", { x: run("Select", { condition, t: run("OnesLike", { x }), e: x }) });
  return run("Select", { condition, t: run("ZerosLike", { x }), e: root });
}

/**
 * The loss of pairs of vectors `[..., features]` with targets `[...]` of 1 and -1 (`torch.nn.functional.cosine_embedding_loss`):
 * `1 - cos` for vectors that should be alike, and `max(0, cos - margin)` for others. A scalar, or `[...]` with the reduction "none";
 * "mean" by default. The margin is 0 by default.
 *
 * @throws ShapeError when the shapes do not fit; TypeError for an unknown reduction
 */
export function cosineEmbeddingLoss<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  a: A,
  b: IfSameShape<"cosineEmbeddingLoss", ShapeOf<A>, ShapeOf<B>, B>,
  targets: TensorOperand,
  options?: LossOptions<R> & { margin?: number },
): Tensor<ReducedLoss<AllButLast<ShapeOf<A>>, R>, "float32">;
export function cosineEmbeddingLoss(
  a: AnyTensor,
  b: AnyTensor,
  givenTargets: TensorOperand,
  { reduction = "mean", margin = 0 }: LossOptions & { margin?: number } = {},
): AnyTensor {
  const op = "cosineEmbeddingLoss";
  const targets = givenTargets as AnyTensor;
  for (const x of [a, b, targets]) checkTensor(op, x);
  checkSameShape(op, a, b);
  if (a.rank === 0 || !sameShape(targets.shape, a.shape.slice(0, -1)))
    throw new ShapeError(
      `${op}: vectors ${shapeText(a)} need targets of all axes but the last, got ${shapeText(targets)}`,
    );
  return inFloat32(op, "float32", [a, b], (left, right) =>
    scoped(op, () => {
      const [x, y] = [cast(left, "float32"), cast(right, "float32")];
      const dot = (p: AnyTensor, q: AnyTensor) =>
        run("Reshape", { x: sumOfRows(multiply(p, q)) }, { shape: targets.shape });
      // PyTorch's constant.
      const square = (p: AnyTensor) => plus(dot(p, p), 1e-12);
      const cosine = run("RealDiv", { a: dot(x, y), b: run("Sqrt", { x: multiply(square(x), square(y)) }) });
      const none = run("ZerosLike", { x: cosine });
      const equals = (value: number) => run("Equal", { a: cast(targets, "float32"), b: scalarOf(value, "float32") });
      const alike = run("Select", { condition: equals(1), t: plus(times(cosine, -1), 1), e: none });
      const apart = run("Relu", { x: plus(cosine, -margin) });
      const losses = run("Select", { condition: equals(-1), t: apart, e: alike });
      return reduced(op, losses, reduction);
    }),
  );
}
