import { isNative, tf } from "../runtime/index.ts";
import { levelsOf, noRule } from "../runtime/levels.ts";
import { float64, readFloat64, storageOf } from "../storage/index.ts";
import { ctc } from "./ctc.ts";
import { cast, checkTensor, differentiable, isTaping, reshapeTo, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { inFloat32 } from "./half.ts";
import { checkIsInt32 } from "./int32.ts";
import { type LossOptions, type LossReduction, reduced } from "./losses.ts";
import { shapeText } from "./names.ts";
import { multiply } from "./primitives.ts";
import { isTensor } from "./tree.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** Options of `ctcLoss`. */
export interface CtcOptions<R extends LossReduction = LossReduction> extends LossOptions<R> {
  /** The class that stands for no label; 0 by default. */
  blank?: number;
  /** Counts an infinite loss, of labels that do not fit into the steps, and its gradient as 0; false by default. */
  zeroInfinity?: boolean;
}

/** A number for each sequence of a batch: an array, or an int32 tensor `[batch]`. */
type Lengths = TensorOperand | ArrayLike<number>;

/**
 * The connectionist temporal classification loss of log-probabilities `[batch, time, classes]` (of `logSoftmax`) and int32 labels
 * `[batch, labels]`, of which the first `inputLengths[i]` steps and `targetLengths[i]` labels count
 * (`torch.nn.functional.ctc_loss`, whose log-probabilities are `[time, batch, classes]`). A scalar, or `[batch]` with the reduction
 * "none". The default "mean" divides each loss by the number of its labels, then averages over the batch.
 *
 * It is computed on the processor, in double precision. It has no second derivative, as in PyTorch.
 *
 * Graves et al. 2006, "Connectionist Temporal Classification".
 *
 * @throws ShapeError when the shapes do not fit; RangeError for a label that is not a class or is the blank, and a length beyond
 *   its axis; TypeError for labels that are not int32, or an unknown reduction; Error for a second derivative, or in
 *   a vmapped function
 */
export function ctcLoss<T extends TensorOperand, R extends LossReduction = "mean">(
  logProbabilities: T,
  labels: TensorOperand,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options?: CtcOptions<R>,
): Tensor<
  R extends "none" ? (ShapeOf<T> extends [infer B extends number | string, ...infer _] ? [B] : [number]) : [],
  "float32"
>;
export function ctcLoss(
  logProbabilities: AnyTensor,
  givenLabels: TensorOperand,
  inputLengths: Lengths,
  targetLengths: Lengths,
  { reduction = "mean", blank = 0, zeroInfinity = false }: CtcOptions = {},
): AnyTensor {
  const labels = givenLabels as AnyTensor;
  checkTensor("ctcLoss", logProbabilities);
  checkTensor("ctcLoss", labels);
  for (const x of [logProbabilities, labels, inputLengths, targetLengths])
    if (isTensor(x) && levelsOf(x).length > 0) throw new Error(noRule("ctcLoss"));
  checkIsInt32("ctcLoss: the labels", labels);
  if (logProbabilities.rank !== 3 || labels.rank !== 2 || labels.shape[0] !== logProbabilities.shape[0])
    throw new ShapeError(
      `ctcLoss: expected log-probabilities [batch, time, classes] and labels [batch, labels], got ${shapeText(logProbabilities)} and ${shapeText(labels)}`,
    );
  const [batch, time, classes] = logProbabilities.shape as [number, number, number];
  const width = labels.shape[1]!;
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new RangeError(`ctcLoss: the blank ${blank} is not one of the ${classes} classes`);
  const steps = lengthsOf("inputLengths", inputLengths, batch, time);
  const counts = lengthsOf("targetLengths", targetLengths, batch, width);
  const labelValues = labels.dataSync().slice();
  for (let i = 0; i < batch; i++)
    for (const value of labelValues.subarray(i * width, i * width + counts[i]!))
      if (value < 0 || value >= classes || value === blank)
        throw new RangeError(
          `ctcLoss: label ${value} of sequence ${i} is ${value === blank ? "the blank" : `not one of the ${classes} classes`}`,
        );

  const lossesAndSlope = (x: AnyTensor): [AnyTensor, AnyTensor] => {
    const isDouble = isNative() && storageOf(x) === "float64";
    const logs = readFloat64(x);
    const losses = new Float64Array(batch);
    const slope = new Float64Array(logs.length);
    for (let i = 0; i < batch; i++) {
      const start = i * time * classes;
      const own = logs.subarray(start, start + steps[i]! * classes);
      const ownLabels = labelValues.subarray(i * width, i * width + counts[i]!);
      const { loss, gradient } = ctc({ logs: own, time: steps[i]!, classes, labels: ownLabels, blank });
      if (zeroInfinity && loss === Number.POSITIVE_INFINITY) continue;
      const share = reduction === "mean" ? 1 / Math.max(1, counts[i]!) : 1;
      losses[i] = loss * share;
      slope.set(
        gradient.map((value) => value * share),
        start,
      );
    }
    const stored = (values: Float64Array, shape: number[]): AnyTensor =>
      isDouble ? float64(values, shape) : tf.tensor(Float32Array.from(values), shape);
    return [stored(losses, [batch]), stored(slope, [batch, time, classes])];
  };
  return inFloat32("ctcLoss", "float32", [logProbabilities], (given) =>
    scoped("ctcLoss", () => {
      const logs = cast(given, "float32");
      const losses = differentiable("ctcLoss", [logs], {
        forward: (save) => {
          const [values, slope] = lossesAndSlope(logs);
          save([slope]);
          return values;
        },
        backward: (dy, [slope]) => [
          () => {
            if (isTaping()) throw new Error("ctcLoss has no second derivative");
            return multiply(slope!, reshapeTo(dy, [batch, 1, 1]));
          },
        ],
      });
      return reduced("ctcLoss", losses, reduction);
    }),
  );
}

function lengthsOf(name: string, given: Lengths, batch: number, most: number): number[] {
  const lengths = isTensor(given) ? [...given.dataSync()] : Array.from(given as ArrayLike<number>);
  if (lengths.length !== batch)
    throw new ShapeError(
      `ctcLoss: ${name} must have a length for each of the ${batch} sequences, got ${lengths.length}`,
    );
  for (const length of lengths)
    if (!Number.isInteger(length) || length < 0 || length > most)
      throw new RangeError(`ctcLoss: ${name} must lie between 0 and ${most}, got ${length}`);
  return lengths;
}
