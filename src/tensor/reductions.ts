import { sizeOf } from "../base/shape.ts";
import { valuesOfAll } from "../runtime/levels.ts";
import { axisIndex, axisIndices } from "./axes.ts";
import {
  cast,
  checkTensor,
  differentiable,
  permuteTo,
  type ReduceKernel,
  reduceOver,
  reshapeTo,
  run,
  scalarOf,
  scoped,
} from "./engine.ts";
import { inFloat32 } from "./half.ts";
import { checkTotals } from "./int32.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { noGrad } from "./tape.ts";
import type { Axis, AxisList, AxisOf, Reduced } from "./types/axis.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

export interface Keep<K extends boolean = boolean> {
  /** Leave the reduced axes in the shape, with size 1. */
  keepDims?: K;
}

export type Whole<D extends DType> = D extends "float32" ? "float32" : D extends "int32" | "bool" ? "int32" : DType;

type Reduction<Op extends string, Out extends DType | "same" | "whole" = "same"> = <
  T extends TensorOperand,
  const A extends AxisList = undefined,
  K extends boolean = false,
>(
  x: T,
  axis?: AxisOf<Op, ShapeOf<T>, A>,
  options?: Keep<K>,
) => Tensor<Reduced<ShapeOf<T>, A, K>, Out extends DType ? Out : Out extends "whole" ? Whole<DTypeOf<T>> : DTypeOf<T>>;

/** The axis names that remain after a reduction. */
export const reducedNames = (x: AnyTensor, gone: readonly number[], keepDims: boolean) =>
  namesOf(x)?.flatMap((name, i) => (gone.includes(i) ? (keepDims ? [undefined] : []) : [name]));

function reduction(op: string, kernel: ReduceKernel, dtype: (input: DType) => DType) {
  return (x: AnyTensor, axes?: AxisList, { keepDims = false }: Keep = {}): AnyTensor => {
    checkTensor(op, x);
    const axis = axisIndices(op, x, axes);
    if (kernel === "Sum" || kernel === "Prod") checkTotals(op, x, axis, { kind: kernel === "Sum" ? "sum" : "prod" });
    const input = cast(x, dtype(x.dtype as DType));
    const result = axis.length === 0 ? run("Identity", { x: input }) : reduceOver(kernel, input, axis, keepDims);
    if (input !== x) input.dispose();
    return label(result, reducedNames(x, axis, keepDims));
  };
}

export const whole = (input: DType): DType => (input === "bool" ? "int32" : input);

/**
 * The sum over some axes, all by default: `[2, 3]` over axis 1 gives `[2]`, or `[2, 1]` with `keepDims`. Bools give int32.
 *
 * @throws RangeError for an int32 sum outside int32; ShapeError for an unknown axis
 */
export const sum = reduction("sum", "Sum", whole) as Reduction<"sum", "whole">;
/**
 * The mean over some axes, all by default, in float32; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`).
 *
 * @throws ShapeError for an unknown axis
 */
export const mean = reduction("mean", "Mean", () => "float32") as Reduction<"mean", "float32">;
/**
 * The product over some axes, all by default; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`).
 *
 * @throws RangeError for an int32 product outside int32; ShapeError for an unknown axis
 */
export const prod = reduction("prod", "Prod", whole) as Reduction<"prod", "whole">;
/**
 * The largest element over some axes, all by default; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`). NaN where an
 * element is NaN. Equal largest elements share the gradient, as in `torch.amax`.
 *
 * @throws RangeError when there are no elements; ShapeError for an unknown axis
 */
export const max = extreme("max", "Max") as Reduction<"max", "whole">;
/**
 * The smallest element over some axes, all by default; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`). NaN where an
 * element is NaN. Equal smallest elements share the gradient, as in `torch.amin`.
 *
 * @throws RangeError when there are no elements; ShapeError for an unknown axis
 */
export const min = extreme("min", "Min") as Reduction<"min", "whole">;
/** Whether any element over some axes, all by default, is not 0; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`). */
export const any = reduction("any", "Any", () => "bool") as Reduction<"any", "bool">;
/** Whether all elements over some axes, all by default, are not 0; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`). */
export const all = reduction("all", "All", () => "bool") as Reduction<"all", "bool">;

function extreme(op: string, kernel: ReduceKernel) {
  const reduce = reduction(op, kernel, whole);
  return (x: AnyTensor, axes?: AxisList, options?: Keep): AnyTensor => {
    checkTensor(op, x);
    const over = axisIndices(op, x, axes);
    if (over.some((axis) => x.shape[axis] === 0))
      throw new RangeError(`${op}: expected at least one element, got shape ${shapeText(x)}`);
    return reduce(x, axes, options);
  };
}

/**
 * The variance over some axes, all by default, in float32; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`). The sum of
 * squares is divided by n - `correction`: 1 by default, as in `torch.var`; 0 gives the variance of a population. The mean is
 * subtracted first, so a large mean loses no precision.
 *
 * @throws ShapeError for an unknown axis
 */
export function variance<T extends TensorOperand, const A extends AxisList = undefined, K extends boolean = false>(
  x: T,
  axis?: AxisOf<"variance", ShapeOf<T>, A>,
  options?: Keep<K> & { correction?: number },
): Tensor<Reduced<ShapeOf<T>, A, K>, "float32">;
export function variance(x: AnyTensor, axes?: AxisList, options: Spread = {}): AnyTensor {
  return spread("variance", x, axes, options, (squared) => squared);
}

interface Spread extends Keep {
  correction?: number;
}

/** The variance, passed through `finish`. */
function spread(
  op: string,
  x: AnyTensor,
  axes: AxisList,
  { keepDims = false, correction = 1 }: Spread,
  finish: (squared: AnyTensor) => AnyTensor,
): AnyTensor {
  checkTensor(op, x);
  const axis = axisIndices(op, x, axes);
  const count = axis.reduce((n, i) => n * x.shape[i]!, 1);
  const shape = x.shape.map((size, i) => (axis.includes(i) ? 1 : size));
  const compute = (given: AnyTensor) =>
    scoped(op, () => {
      const input = cast(given, "float32");
      const center = reduceOver("Mean", input, axis);
      const off = run("Sub", { a: input, b: reshapeTo(center, shape) });
      const total = reduceOver("Sum", run("Square", { x: off }), axis);
      const value = finish(run("RealDiv", { a: total, b: scalarOf(Math.max(0, count - correction), "float32") }));
      return keepDims ? reshapeTo(value, shape) : value;
    });
  return label(inFloat32(op, "unlisted", [x], compute), reducedNames(x, axis, keepDims));
}

/**
 * The standard deviation over some axes, all by default, in float32; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`).
 * `correction` is 1 by default, as in `torch.std`. The gradient is 0 where all elements are equal.
 *
 * @throws ShapeError for an unknown axis
 */
export function std<T extends TensorOperand, const A extends AxisList = undefined, K extends boolean = false>(
  x: T,
  axis?: AxisOf<"variance", ShapeOf<T>, A>,
  options?: Keep<K> & { correction?: number },
): Tensor<Reduced<ShapeOf<T>, A, K>, "float32">;
export function std(x: AnyTensor, axes?: AxisList, options: Spread = {}): AnyTensor {
  return spread("std", x, axes, options, rootOfSquares);
}

/**
 * The vector norm over some axes, all by default, in float32; shapes as in `sum` (`[2, 3]` over axis 1 gives `[2]`). `order` is
 * 2, the Euclidean norm, by default, or 1 or Infinity (`torch.linalg.vector_norm`).
 *
 * @throws RangeError for another order; ShapeError for an unknown axis
 */
export function norm<T extends TensorOperand, const A extends AxisList = undefined, K extends boolean = false>(
  x: T,
  axis?: AxisOf<"norm", ShapeOf<T>, A>,
  options?: Keep<K> & { order?: 1 | 2 | typeof Infinity },
): Tensor<Reduced<ShapeOf<T>, A, K>, "float32">;
export function norm(x: AnyTensor, axes?: AxisList, options: Keep & { order?: number } = {}): AnyTensor {
  checkTensor("norm", x);
  const { order = 2, keepDims = false } = options;
  if (order !== 1 && order !== 2 && order !== Number.POSITIVE_INFINITY)
    throw new RangeError(`norm: order must be 1, 2 or Infinity, got ${order}`);
  const axis = axisIndices("norm", x, axes);
  const compute = (given: AnyTensor) =>
    scoped("norm", () => {
      const input = cast(given, "float32");
      if (order === 1) return sum(run("Abs", { x: input }), axis as never, options) as AnyTensor;
      if (order === 2) return rootOfSquares(sum(run("Square", { x: input }), axis as never, options) as AnyTensor);
      return max(run("Abs", { x: input }), axis as never, options) as AnyTensor;
    });
  return label(inFloat32("norm", "float32", [x], compute), reducedNames(x, axis, keepDims));
}

/** The square root with gradient 0 at 0, as in PyTorch's norm and std. The gradient of Sqrt is infinite there. */
function rootOfSquares(x: AnyTensor): AnyTensor {
  return differentiable("norm", [x], {
    forward: () => run("Sqrt", { x }),
    keep: (value) => [value],
    backward: (dy, [root]) => [
      () => {
        const zero = run("Equal", { a: root!, b: scalarOf(0, "float32") });
        const safe = run("Add", { a: root!, b: cast(zero, "float32") });
        const slope = run("RealDiv", { a: run("LogicalNot", { x: zero }).cast("float32"), b: safe });
        return run("Multiply", { a: dy, b: run("Multiply", { a: slope, b: scalarOf(0.5, "float32") }) });
      },
    ],
  });
}

/**
 * `log(sum(exp(x)))` over some axes, all by default, without overflow, in float32; shapes as in `sum` (`[2, 3]` over axis 1
 * gives `[2]`). -Infinity where every element is -Infinity (`torch.logsumexp`).
 *
 * @throws ShapeError for an unknown axis
 */
export function logSumExp<T extends TensorOperand, const A extends AxisList = undefined, K extends boolean = false>(
  x: T,
  axis?: AxisOf<"logSumExp", ShapeOf<T>, A>,
  options?: Keep<K>,
): Tensor<Reduced<ShapeOf<T>, A, K>, "float32">;
export function logSumExp(x: AnyTensor, axes?: AxisList, { keepDims = false }: Keep = {}): AnyTensor {
  checkTensor("logSumExp", x);
  const axis = axisIndices("logSumExp", x, axes);
  const shape = x.shape.map((size, i) => (axis.includes(i) ? 1 : size));
  const compute = (given: AnyTensor) =>
    differentiable("logSumExp", [given], {
      forward: () => {
        const input = cast(given, "float32");
        const top = reshapeTo(reduceOver("Max", input, axis), shape);
        const finite = run("IsFinite", { x: top });
        const shift = run("Select", { condition: finite, t: top, e: run("ZerosLike", { x: top }) });
        const total = reduceOver("Sum", run("Exp", { x: run("Sub", { a: input, b: shift }) }), axis);
        const value = run("Add", { a: run("Log", { x: total }), b: reshapeTo(shift, total.shape) });
        return keepDims ? reshapeTo(value, shape) : value;
      },
      keep: (value) => [given, value],
      backward: (dy, [kept, value]) => [
        () => {
          const share = run("Exp", { x: run("Sub", { a: cast(kept!, "float32"), b: reshapeTo(value!, shape) }) });
          return run("Multiply", { a: share, b: reshapeTo(dy, shape) });
        },
      ],
    });
  return label(inFloat32("logSumExp", "float32", [x], compute), reducedNames(x, axis, keepDims));
}

/** Whether any element is NaN. Where ops are queued, as on a GPU, this waits for them. */
export function hasNaN(x: AnyTensor): boolean {
  if (x.dtype !== "float32" || x.size === 0) return false;
  const top = noGrad(() => reduceOver("Max", x, [...x.shape.keys()]));
  const values = valuesOfAll(top);
  top.dispose();
  return values.some(Number.isNaN);
}

type ArgReduction<Op extends string> = <T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  axis?: AxisOf<Op, ShapeOf<T>, A>,
) => Tensor<Reduced<ShapeOf<T>, A>, "int32">;

/** The most axes that TensorFlow's kernels of ArgMax and ArgMin support. */
const MOST_AXES = 7;

function argOver(kernel: string, x: AnyTensor, axis: number): AnyTensor {
  if (!hasNaN(x)) return run(kernel, { x }, { axis });
  // The kernels ignore NaN. In rows with a NaN, the first one is the ArgMax of IsNan.
  const missing = cast(run("IsNan", { x }), "float32");
  const condition = run("Equal", { a: reduceOver("Max", missing, [axis]), b: scalarOf(1, "float32") });
  const numbers = run("Select", { condition: run("IsNan", { x }), t: run("ZerosLike", { x }), e: x });
  const [t, e] = [run("ArgMax", { x: missing }, { axis }), run(kernel, { x: numbers }, { axis })];
  return run("Select", { condition, t, e });
}

const argExtreme =
  (op: string, kernel: string) =>
  (x: AnyTensor, axis: Axis = -1): AnyTensor => {
    checkTensor(op, x);
    const axisNumber = axisIndex(op, x, axis);
    if (x.shape[axisNumber] === 0)
      throw new RangeError(`${op}: expected at least one element, got shape ${shapeText(x)}`);
    const result = scoped(op, () => {
      if (x.rank <= MOST_AXES) return argOver(kernel, x, axisNumber);
      // Merges the axes before and those after this one.
      const [before, after] = [sizeOf(x.shape.slice(0, axisNumber)), sizeOf(x.shape.slice(axisNumber + 1))];
      const positions = argOver(kernel, reshapeTo(x, [before, x.shape[axisNumber]!, after]), 1);
      return reshapeTo(positions, x.shape.toSpliced(axisNumber, 1));
    });
    return label(result, reducedNames(x, [axisNumber], false));
  };

/**
 * The index of the largest element along one axis, the last by default, int32: `[2, 3]` gives `[2]`. The first of equal
 * elements; NaN counts as the largest.
 *
 * @throws RangeError when the axis has no elements; ShapeError for an unknown axis
 */
export const argMax = argExtreme("argMax", "ArgMax") as ArgReduction<"argMax">;
/**
 * The index of the smallest element along one axis, the last by default, int32: `[2, 3]` gives `[2]`. The first of equal
 * elements; NaN counts as the smallest.
 *
 * @throws RangeError when the axis has no elements; ShapeError for an unknown axis
 */
export const argMin = argExtreme("argMin", "ArgMin") as ArgReduction<"argMin">;

/**
 * The cumulative sum along one axis, the last by default, in the shape of `x` (any shape of at least one axis). `exclusive`
 * leaves out the element itself, `reverse` sums from the end; both are false by default.
 *
 * @throws RangeError for an int32 sum outside int32; ShapeError for an unknown axis
 */
export function cumsum<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  axis?: AxisOf<"cumsum", ShapeOf<T>, A>,
  options?: { exclusive?: boolean; reverse?: boolean },
): Tensor<ShapeOf<T>, Whole<DTypeOf<T>>>;
export function cumsum(
  x: AnyTensor,
  axis: Axis = -1,
  options: { exclusive?: boolean; reverse?: boolean } = {},
): AnyTensor {
  checkTensor("cumsum", x);
  const axisNumber = axisIndex("cumsum", x, axis);
  const { exclusive = false, reverse = false } = options;
  checkTotals("cumsum", x, [axisNumber], { kind: "sum", isRunning: true, exclusive, reverse });
  const result = scoped("cumsum", () => {
    // The kernels and the gradient of tfjs support only the last axis.
    const last = [...x.shape.keys()].filter((i) => i !== axisNumber).concat(axisNumber);
    const back = last.map((_, i) => last.indexOf(i));
    const input = permuteTo(cast(x, whole(x.dtype as DType)), last);
    const total = run("Cumsum", { x: input }, { axis: x.rank - 1, exclusive, reverse });
    return permuteTo(total, back);
  });
  return label(result, namesOf(x));
}

/** The number of elements of a tensor of any shape. */
export const size = (x: AnyTensor): number => sizeOf(x.shape);
