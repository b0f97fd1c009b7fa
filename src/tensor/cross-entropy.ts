import { autocastType } from "../amp/index.ts";
import { tf } from "../runtime/index.ts";
import { levelsOf, outside, valuesOfAll } from "../runtime/levels.ts";
import { stepInput, stepNumbers, uploaded } from "../runtime/native/capture/step-inputs.ts";
import * as kernels from "../runtime/native/kernels/index.ts";
import { sparseSoftmaxCrossEntropy } from "../runtime/native/primitives.ts";
import { readFloat64, storageOf, to } from "../storage/index.ts";
import {
  cast,
  checkTensor,
  differentiable,
  filledLike,
  reduceOver,
  reshapeTo,
  run,
  scalarOf,
  scoped,
} from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { canFuse, mayFuse } from "./fused.ts";
import { hotRows } from "./gather.ts";
import { asStored, inFloat32, toFloat32 } from "./half.ts";
import { checkIsInt32 } from "./int32.ts";
import { type LossOptions, type LossReduction, type Reduced, reduced } from "./losses.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { exp, isDirect, isUnrecorded, multiply, plus, subtract, sumOfRows, times } from "./primitives.ts";
import { lastLogSoftmax } from "./softmax.ts";
import { noGrad } from "./tape.ts";
import type { AllButLast } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** Options of `crossEntropy`, with PyTorch's defaults. */
export interface CrossEntropyOptions<R extends LossReduction = LossReduction> extends LossOptions<R> {
  /** A label that is left out, also of the mean; -100 by default. */
  ignoreIndex?: number;
  /** The share of the target distributed evenly over all classes; 0 by default. */
  labelSmoothing?: number;
  /** A weight for each class, `[classes]`; the mean is over the weights of the labels. It has no gradient. */
  weight?: TensorOperand;
}

/**
 * The cross-entropy of logits `[..., classes]` and int32 class labels `[...]` (`torch.nn.functional.cross_entropy`): a scalar,
 * or `[...]` with the reduction "none"; "mean" by default. Labels equal to `ignoreIndex`, -100 by default, are left out, also of
 * the mean. `labelSmoothing`, 0 by default, is the share of the target distributed evenly over all classes (Szegedy et al.
 * 2016), and `weight`, `[classes]`, a weight for each class. Logits of tokens are `[batch, time, classes]`, their labels
 * `[batch, time]`.
 *
 * @throws RangeError for a label that is not a class; ShapeError when the shapes do not fit; TypeError for labels that are not
 *   int32, or an unknown reduction
 */
export function crossEntropy<T extends TensorOperand, R extends LossReduction = "mean">(
  logits: T,
  labels: TensorOperand,
  options?: CrossEntropyOptions<R>,
): Tensor<Reduced<AllButLast<ShapeOf<T>>, R>, "float32">;
export function crossEntropy(
  logits: AnyTensor,
  classLabels: TensorOperand,
  options: CrossEntropyOptions = {},
): AnyTensor {
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0 } = options;
  const labels = classLabels as AnyTensor;
  const weight = options.weight as AnyTensor | undefined;
  const classes = checkShapes(logits, labels);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new RangeError(`crossEntropy: labelSmoothing must lie between 0 and 1, got ${labelSmoothing}`);
  checkWeight(weight, classes);
  const { isEach, isNone } = stepInput(checkedLabels, labels, classes, ignoreIndex, shapeText(logits));
  if (levelsOf(labels).length > 0 || (weight && levelsOf(weight).length > 0))
    return inFloat32("crossEntropy", "float32", [logits], (given) =>
      scoped("crossEntropy", () => lossesOfExamples(cast(given, "float32"), labels, options)),
    );
  let read: Int32Array | undefined;
  const values = () => {
    read ??= valuesOf(labels);
    return read;
  };
  const truth: Truth = { labels, values, ignoreIndex, isEach, isNone, smoothing: labelSmoothing, weight };
  const compute = (given: AnyTensor) =>
    scoped("crossEntropy", () => {
      const flat = reshapeTo(cast(given, "float32"), [labels.size, classes]);
      const value = rowLosses(flat, truth, reduction);
      if (reduction !== "none") return value;
      return label(reshapeTo(value, labels.shape), namesOf(logits)?.slice(0, -1));
    });
  if (!mayFuse("any", logits) || (weight && !mayFuse("float32", weight)))
    return inFloat32("crossEntropy", "float32", [logits], compute);
  // A kernel reads halves as they are, and gives float32.
  return autocastType() ? compute(logits) : scoped("crossEntropy", () => asStored(compute(logits), logits));
}

/** Whether every label counts, or none. Throws RangeError for one that is not a class. */
function checkedLabels(labels: AnyTensor, classes: number, ignoreIndex: number, logits: string) {
  const labelValues = valuesOfAll(labels);
  let counted = 0;
  for (const labelValue of labelValues) {
    if (labelValue === ignoreIndex) continue;
    counted++;
    if (labelValue < 0 || labelValue >= classes)
      throw new RangeError(`crossEntropy: label ${labelValue} is not one of the ${classes} classes of ${logits}`);
  }
  return { isEach: counted === labelValues.length, isNone: counted === 0 };
}

/** The number of classes. */
function checkShapes(logits: AnyTensor, labels: AnyTensor): number {
  checkTensor("crossEntropy", logits);
  checkTensor("crossEntropy", labels);
  if (labels.dtype === "float32" && labels.rank === logits.rank)
    throw new TypeError(
      `crossEntropy: the labels must be int32 classes, got float32 ${shapeText(labels)}; the loss of class probabilities is neg(mean(sum(mul(targets, logSoftmax(logits)), -1)))`,
    );
  checkIsInt32("crossEntropy: the labels", labels);
  const classes = logits.shape.at(-1);
  if (classes === undefined || labels.rank !== logits.rank - 1 || labels.shape.some((d, i) => d !== logits.shape[i]))
    throw new ShapeError(
      `crossEntropy: logits ${shapeText(logits)} need labels of all axes but the last, got ${shapeText(labels)}`,
    );
  return classes;
}

function checkWeight(weight: AnyTensor | undefined, classes: number): void {
  if (weight === undefined) return;
  checkTensor("crossEntropy", weight);
  if (weight.rank !== 1 || weight.size !== classes || weight.dtype !== "float32")
    throw new ShapeError(
      `crossEntropy: the weight must be float32 with one value for each of the ${classes} classes, got ${weight.dtype} ${shapeText(weight)}`,
    );
}

interface Truth {
  labels: AnyTensor;
  /** The values of the labels, which a kernel reads itself. */
  values: () => Int32Array;
  ignoreIndex: number;
  /** Whether all rows count, and whether none does. */
  isEach: boolean;
  isNone: boolean;
  smoothing: number;
  /** Of the classes. */
  weight: AnyTensor | undefined;
}

/** The values of the labels. A copy, because WebAssembly gives a view of memory that it reuses. */
const valuesOf = (labels: AnyTensor): Int32Array => labels.dataSync().slice() as Int32Array;

/** One over the sum of the weights of the rows that count, which is their number without class weights: a list of one number. */
function shareOf(labels: AnyTensor, ignoreIndex: number, weight: AnyTensor | undefined): number[] {
  const weights = weight && readFloat64(weight);
  const total = valuesOf(labels).reduce(
    (sum, value) => (value === ignoreIndex ? sum : sum + (weights ? weights[value]! : 1)),
    0,
  );
  return [1 / total];
}

/** The losses of the rows of [rows, classes], -sum(target * log softmax), reduced; the gradient of one is softmax - target. */
function rowLosses(logits: AnyTensor, truth: Truth, reduction: LossReduction): AnyTensor {
  const { isEach, isNone, ignoreIndex } = truth;
  const rows = truth.labels.size;
  // As in PyTorch, the mean over no label is NaN and its gradient 0.
  if (reduction === "mean" && isNone) return filledLike(logits, [], Number.NaN);
  const known = reduction !== "mean" ? 1 : isEach && !truth.weight ? 1 / rows : undefined;
  const share = known === undefined ? stepNumbers(shareOf, truth.labels, ignoreIndex, truth.weight) : [known];
  const shared = (x: AnyTensor): AnyTensor => {
    if (known === 1) return x;
    if (known !== undefined || storageOf(x) !== "float32") return times(x, share[0]!);
    return multiply(x, uploaded(share, [], "float32") as AnyTensor);
  };
  /** With labels that the tape kept, because those given may be disposed. */
  const revived = (labels: AnyTensor): Truth => ({ ...truth, labels, values: () => valuesOf(labels) });
  return differentiable("crossEntropy", [logits], {
    captured: truth.weight ? [truth.labels, truth.weight] : [truth.labels],
    forward: (save) => {
      const kept = byKernel(logits, truth, save) ?? separately(logits, truth, save);
      if (reduction !== "mean" || (isEach && !truth.weight)) return reduced("crossEntropy", kept, reduction);
      return shared(reduceOver("Sum", kept, [0]));
    },
    backward: (dy, [kept, labels, logSums, weight]) => [
      () => {
        if (logSums && canFuse("any", kept!) && canFuse("float32", dy)) {
          const classified = { ...kernelOptions(truth), logits: kept!, labels: labels!, weight };
          const isMean = reduction === "mean" && known !== undefined;
          const given = known === undefined ? shared(dy) : dy;
          return kernels.crossEntropyGradient(given, classified, logSums, isMean) as AnyTensor;
        }
        const slope = logSums
          ? outside(() => lossesAndSlope(toFloat32(kept!), { ...revived(labels!), weight })[1])
          : kept;
        const slopes = shared(slope!);
        if (isEach && reduction !== "none") return multiply(slopes, dy);
        const perRow = isEach ? dy : multiply(countOf(labels ? revived(labels) : truth), dy);
        return multiply(slopes, reshapeTo(perRow, [rows, 1]));
      },
    ],
  });
}

type Save = (tensors: AnyTensor[]) => void;

const kernelOptions = ({ ignoreIndex, smoothing }: Truth) => ({ ignored: ignoreIndex, smoothing });

/** The loss of each row, 0 where it is ignored; undefined where there is no kernel. */
function byKernel(logits: AnyTensor, truth: Truth, save: Save): AnyTensor | undefined {
  const { labels, weight } = truth;
  if (!canFuse("any", logits) || (weight && !canFuse("float32", weight))) return undefined;
  const { losses, logSums } = kernels.crossEntropy({ ...kernelOptions(truth), logits, labels, weight });
  save([logits, labels, logSums as AnyTensor, ...(weight ? [weight] : [])]);
  return losses as AnyTensor;
}

/** The same by separate ops. */
function separately(logits: AnyTensor, truth: Truth, save: Save): AnyTensor {
  const [losses, slope] = lossesAndSlope(toFloat32(logits), truth);
  save([slope]);
  return truth.isEach ? losses : onlyCounted(losses, truth);
}

/** The loss of each row, and its gradient. */
function lossesAndSlope(logits: AnyTensor, truth: Truth): [AnyTensor, AnyTensor] {
  const { ignoreIndex, smoothing, weight } = truth;
  const labels = truth.isEach
    ? reshapeTo(truth.labels, [truth.labels.size])
    : tf.tensor1d(
        truth.values().map((labelValue) => (labelValue === ignoreIndex ? 0 : labelValue)),
        "int32",
      );
  if (isDirect() && smoothing === 0 && !weight)
    return sparseSoftmaxCrossEntropy(logits, labels) as [AnyTensor, AnyTensor];
  if (isUnrecorded() && smoothing === 0 && !weight) return sparseLosses(logits, labels);
  const logs = lastLogSoftmax(logits);
  const targets = targetsOf(hotBeside(logs, labels), smoothing, weight && toFloat32(weight));
  const share = weight ? multiply(exp(logs), reduceOver("Sum", targets, [1], true)) : exp(logs);
  const slope = subtract(share, targets);
  let shares = multiply(targets, logs);
  if (smoothing === 0) {
    // A class with share 0 contributes 0, also where its logarithm is -Infinity.
    const condition = run("Equal", { a: targets, b: scalarOf(0, "float32") });
    shares = run("Select", { condition, t: run("ZerosLike", { x: logs }), e: shares });
  }
  return [run("Neg", { x: reduceOver("Sum", shares, [1]) }), slope];
}

/** As TensorFlow's kernel, which other backends lack, with at most three tensors of the logits' size at a time. */
function sparseLosses(logits: AnyTensor, labels: AnyTensor): [AnyTensor, AnyTensor] {
  const [rows, classes] = logits.shape as [number, number];
  const places = Int32Array.from(labels.dataSync(), (labelValue, row) => row * classes + labelValue);
  const off = subtract(logits, reduceOver("Max", logits, [1], true));
  const powers = exp(off);
  const sums = sumOfRows(powers);
  const flat = reshapeTo(off, [rows * classes]);
  const own = run("GatherV2", { x: flat, indices: tf.tensor1d(places, "int32") }, { axis: 0, batchDims: 0 });
  tf.dispose([off, flat]);
  const shares = run("RealDiv", { a: powers, b: sums });
  powers.dispose();
  const hot = hotRows(labels, classes);
  const slope = subtract(shares, hot);
  tf.dispose([shares, hot]);
  return [subtract(run("Log", { x: reshapeTo(sums, [rows]) }), own), slope];
}

/** The shares of the classes in the target `[rows, classes]`, times their weights. */
function targetsOf(hot: AnyTensor, smoothing: number, weight: AnyTensor | undefined): AnyTensor {
  const shares = plus(times(hot, 1 - smoothing), smoothing / hot.shape[1]!);
  return weight ? multiply(shares, weight) : shares;
}

/** One-hot rows stored as the logarithms are: smoothed targets of doubles are doubles. */
const hotBeside = (logs: AnyTensor, labels: AnyTensor): AnyTensor =>
  to(hotRows(labels, logs.shape.at(-1)!), storageOf(logs));

/** 1 for a row that counts, 0 for one that is ignored. */
const countOf = ({ values, ignoreIndex }: Truth): AnyTensor =>
  tf.tensor1d(Float32Array.from(values(), (labelValue) => (labelValue === ignoreIndex ? 0 : 1)));

/** Selects instead of multiplying by 0, because an ignored row may contain NaN. */
function onlyCounted(losses: AnyTensor, truth: Truth): AnyTensor {
  const condition = run("NotEqual", { a: countOf(truth), b: scalarOf(0, "float32") });
  return run("Select", { condition, t: losses, e: run("ZerosLike", { x: losses }) });
}

/** Inside of a vmap over the labels or the weight, where what the mean is over differs from example to example. */
function lossesOfExamples(logits: AnyTensor, labels: AnyTensor, options: CrossEntropyOptions): AnyTensor {
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0 } = options;
  const [rows, classes] = [labels.size, logits.shape.at(-1)!];
  const flat = reshapeTo(labels, [rows]);
  const ignored = run("Equal", { a: flat, b: scalarOf(ignoreIndex, "int32") });
  const classLabels = run("Select", { condition: ignored, t: run("ZerosLike", { x: flat }), e: flat });
  const logs = lastLogSoftmax(reshapeTo(logits, [rows, classes]));
  const hot = hotBeside(logs, classLabels);
  const weight = options.weight && noGrad(() => run("Identity", { x: toFloat32(options.weight as AnyTensor) }));
  const targets = targetsOf(hot, labelSmoothing, weight);
  const none = run("ZerosLike", { x: logs });
  // A class with share 0 contributes 0, also where its logarithm is -Infinity.
  const isShared = run("NotEqual", { a: targets, b: scalarOf(0, "float32") });
  const shares = run("Select", { condition: isShared, t: multiply(targets, logs), e: none });
  const losses = run("Neg", { x: reduceOver("Sum", shares, [1]) });
  const counted = run("Select", { condition: ignored, t: run("ZerosLike", { x: losses }), e: losses });
  if (reduction === "none") return reshapeTo(counted, labels.shape);
  if (reduction !== "mean") return reduced("crossEntropy", counted, reduction);
  const isCounted = cast(run("LogicalNot", { x: ignored }), "float32");
  const weights = weight ? multiply(isCounted, reduceOver("Sum", multiply(hot, weight), [1])) : isCounted;
  const count = reduceOver("Sum", weights, [0]);
  // As in PyTorch, the mean over no label is NaN and its gradient 0.
  const isEmpty = run("Equal", { a: count, b: scalarOf(0, "float32") });
  const divisor = run("Select", { condition: isEmpty, t: scalarOf(1, "float32"), e: count });
  const nan = run("Select", { condition: isEmpty, t: scalarOf(Number.NaN, "float32"), e: scalarOf(0, "float32") });
  return run("Add", { a: run("RealDiv", { a: reduceOver("Sum", counted, [0]), b: divisor }), b: nan });
}
