// Losses as PyTorch defines them.

import { tf } from "../runtime/index.ts";
import {
  cast,
  checkTensor,
  differentiable,
  reduceOver,
  reshapeTo,
  run,
  sameShape,
  scalarOf,
  scoped,
} from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { hotRows } from "./gather.ts";
import { inFloat32 } from "./half.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { lastLogSoftmax } from "./softmax.ts";
import type { IfSameShape, Rest, Shape } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** What becomes of the loss of each element. */
export type LossReduction = "mean" | "sum" | "none";

interface LossOptions<R extends LossReduction = LossReduction> {
  reduction?: R;
}

type Reduced<S extends Shape, R extends LossReduction> = R extends "none" ? S : [];
type AllButLast<S> = S extends [...infer R extends Rest<S>, infer _] ? R : Shape;

function reduced(op: string, losses: AnyTensor, reduction: LossReduction): AnyTensor {
  if (reduction === "none") return losses;
  if (reduction !== "mean" && reduction !== "sum")
    throw new TypeError(`${op}: the reduction must be mean, sum or none, got ${reduction}`);
  return reduceOver(reduction === "mean" ? "Mean" : "Sum", losses, [...losses.shape.keys()]);
}

/** As a broadcast pair would give a loss of more elements than there are predictions, the shapes must be the same. */
function checkSameShape(op: string, a: AnyTensor, b: AnyTensor): void {
  const [left, right] = [namesOf(a), namesOf(b)];
  const clash = left?.some((name, i) => name !== undefined && right?.[i] !== undefined && name !== right[i]);
  if (clash || !sameShape(a.shape, b.shape))
    throw new ShapeError(`${op}: the shapes ${shapeText(a)} and ${shapeText(b)} must be the same; reshape one of them`);
}

/**
 * The negative log-likelihood of the true classes: logits [..., classes], labels [...] int32, one fewer axis. Labels
 * equal to `ignoreIndex` (-100) count for nothing, also not in the mean. `labelSmoothing` gives that share of the truth
 * to all classes alike (Szegedy et al. 2016). Throws RangeError for a label that is no class.
 */
export function crossEntropy<T extends TensorOperand, R extends LossReduction = "mean">(
  logits: T,
  labels: TensorOperand,
  options?: LossOptions<R> & { ignoreIndex?: number; labelSmoothing?: number },
): Tensor<Reduced<AllButLast<ShapeOf<T>>, R>, "float32">;
export function crossEntropy(
  logits: AnyTensor,
  classLabels: TensorOperand,
  options: LossOptions & { ignoreIndex?: number; labelSmoothing?: number } = {},
): AnyTensor {
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0 } = options;
  const labels = classLabels as AnyTensor;
  checkTensor("crossEntropy", logits);
  checkTensor("crossEntropy", labels);
  if (labels.dtype !== "int32")
    throw new TypeError(`crossEntropy: the labels must be an int32 tensor, got ${labels.dtype}`);
  const classes = logits.shape.at(-1);
  if (classes === undefined || labels.rank !== logits.rank - 1 || labels.shape.some((d, i) => d !== logits.shape[i]))
    throw new ShapeError(
      `crossEntropy: logits ${shapeText(logits)} need labels of all axes but the last, got ${shapeText(labels)}`,
    );
  // A copy: WebAssembly gives a view of memory that it will use again.
  const places = labels.dataSync().slice();
  let counted = 0;
  for (const place of places) {
    if (place === ignoreIndex) continue;
    counted++;
    if (place < 0 || place >= classes)
      throw new RangeError(`crossEntropy: label ${place} is not one of the ${classes} classes of ${shapeText(logits)}`);
  }
  return inFloat32("crossEntropy", "float32", [logits], (given) =>
    scoped("crossEntropy", () => {
      const rows = places.length;
      const flat = reshapeTo(cast(given, "float32"), [rows, classes]);
      const losses = rowLosses(flat, places as Int32Array, ignoreIndex, labelSmoothing);
      if (reduction === "none") return label(reshapeTo(losses, labels.shape), namesOf(logits)?.slice(0, -1));
      const total = reduced("crossEntropy", losses, "sum");
      if (reduction === "sum") return total;
      if (reduction !== "mean") return reduced("crossEntropy", losses, reduction);
      // As in PyTorch, the mean of no label is NaN and its gradient 0.
      if (counted === 0) return scalarOf(Number.NaN, "float32");
      return run("Multiply", { a: total, b: scalarOf(1 / counted, "float32") });
    }),
  );
}

/** The loss of each row, -sum(target * log softmax); its gradient is softmax - target. */
function rowLosses(logits: AnyTensor, places: Int32Array, ignoreIndex: number, smoothing: number): AnyTensor {
  const [rows, classes] = logits.shape as [number, number];
  const counts = () => tf.tensor1d(Float32Array.from(places, (place) => (place === ignoreIndex ? 0 : 1)));
  const truth = () =>
    tf.tensor1d(
      Int32Array.from(places, (place) => (place === ignoreIndex ? 0 : place)),
      "int32",
    );
  const multiply = (a: AnyTensor, b: AnyTensor) => run("Multiply", { a, b });
  /** Not multiplied by 0, which leaves a NaN: an ignored row may hold anything. */
  const onlyCounted = (losses: AnyTensor) => {
    if (!places.includes(ignoreIndex)) return losses;
    const condition = run("NotEqual", { a: counts(), b: scalarOf(0, "float32") });
    return run("Select", { condition, t: losses, e: run("ZerosLike", { x: losses }) });
  };
  let slope: AnyTensor;
  return differentiable("crossEntropy", [logits], {
    forward: () => {
      const backend = tf.backend() as unknown as Partial<NativeBackend>;
      if (backend.executeMultipleOutputs && smoothing === 0) {
        const op = "SparseSoftmaxCrossEntropyWithLogits";
        const [losses, gradient] = backend.executeMultipleOutputs(op, labelTypes(), [logits, truth()], 2);
        slope = gradient!;
        return onlyCounted(losses!);
      }
      const logs = lastLogSoftmax(logits);
      const hot = run("Multiply", { a: hotRows(truth(), classes), b: scalarOf(1 - smoothing, "float32") });
      const targets = run("Add", { a: hot, b: scalarOf(smoothing / classes, "float32") });
      slope = run("Sub", { a: run("Exp", { x: logs }), b: targets });
      let shares = multiply(targets, logs);
      if (smoothing === 0) {
        // A class of no share counts for nothing also where its logarithm is -Infinity.
        const condition = run("Equal", { a: targets, b: scalarOf(0, "float32") });
        shares = run("Select", { condition, t: run("ZerosLike", { x: logs }), e: shares });
      }
      return onlyCounted(run("Neg", { x: reduceOver("Sum", shares, [1]) }));
    },
    keep: () => [slope],
    backward: (dy, [kept]) => [() => multiply(kept!, reshapeTo(multiply(dy, counts()), [rows, 1]))],
  });
}

interface NativeBackend {
  binding: { TF_ATTR_TYPE: number; TF_FLOAT: number; TF_INT32: number };
  executeMultipleOutputs(name: string, attributes: unknown[], inputs: AnyTensor[], count: number): AnyTensor[];
}

const labelTypes = () => {
  const { binding } = tf.backend() as unknown as NativeBackend;
  const type = (name: string, value: number) => ({ name, type: binding.TF_ATTR_TYPE, value });
  return [type("T", binding.TF_FLOAT), type("Tlabels", binding.TF_INT32)];
};

/** The mean of (a - b) squared. Throws ShapeError unless the shapes are the same. */
export function meanSquaredError<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  predictions: A,
  targets: IfSameShape<"meanSquaredError", ShapeOf<A>, ShapeOf<B>, B>,
  options?: LossOptions<R>,
): Tensor<Reduced<ShapeOf<A>, R>, "float32">;
export function meanSquaredError(a: AnyTensor, b: AnyTensor, { reduction = "mean" }: LossOptions = {}): AnyTensor {
  checkTensor("meanSquaredError", a);
  checkTensor("meanSquaredError", b);
  checkSameShape("meanSquaredError", a, b);
  return inFloat32("meanSquaredError", "float32", [a, b], (p, t) =>
    scoped("meanSquaredError", () => {
      const off = run("Sub", { a: cast(p, "float32"), b: cast(t, "float32") });
      return reduced("meanSquaredError", run("Square", { x: off }), reduction);
    }),
  );
}

/** The mean of |a - b|. Throws ShapeError unless the shapes are the same. */
export function meanAbsoluteError<A extends TensorOperand, B extends TensorOperand, R extends LossReduction = "mean">(
  predictions: A,
  targets: IfSameShape<"meanAbsoluteError", ShapeOf<A>, ShapeOf<B>, B>,
  options?: LossOptions<R>,
): Tensor<Reduced<ShapeOf<A>, R>, "float32">;
export function meanAbsoluteError(a: AnyTensor, b: AnyTensor, { reduction = "mean" }: LossOptions = {}): AnyTensor {
  checkTensor("meanAbsoluteError", a);
  checkTensor("meanAbsoluteError", b);
  checkSameShape("meanAbsoluteError", a, b);
  return inFloat32("meanAbsoluteError", "float32", [a, b], (p, t) =>
    scoped("meanAbsoluteError", () => {
      const off = run("Sub", { a: cast(p, "float32"), b: cast(t, "float32") });
      return reduced("meanAbsoluteError", run("Abs", { x: off }), reduction);
    }),
  );
}

/**
 * Binary cross-entropy of logits, targets t between 0 and 1: softplus(x) - x t, which overflows for no x. Throws
 * ShapeError unless the shapes are the same.
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
  checkTensor("binaryCrossEntropy", x);
  checkTensor("binaryCrossEntropy", targets);
  checkSameShape("binaryCrossEntropy", x, targets);
  return inFloat32("binaryCrossEntropy", "float32", [x, targets], (p, t) =>
    scoped("binaryCrossEntropy", () => {
      const [logits, truth] = [cast(p, "float32"), cast(t, "float32")];
      const soft = run("Softplus", { x: logits });
      const losses = run("Sub", { a: soft, b: run("Multiply", { a: logits, b: truth }) });
      return reduced("binaryCrossEntropy", losses, reduction);
    }),
  );
}
