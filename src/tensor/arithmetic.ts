// Arithmetic and comparison, with broadcasting.
import { valuesOfAll } from "../runtime/levels.ts";
import { isCapturing } from "../runtime/native/capture/active.ts";
import { scalar } from "../runtime/native/constants.ts";
import { isNative } from "../runtime/native/op.ts";
import { broadcastNames, broadcastShape, expandTo } from "./broadcast.ts";
import { cast, checkTensor, drop, run, sameShape, scalarOf, scoped } from "./engine.ts";
import { floatsBeside, inFloat32 } from "./half.ts";
import { int32Of } from "./int32.ts";
import { label } from "./names.ts";
import type { Broadcast, IfBroadcast } from "./types/broadcast.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, LeftShape, NumberOrTensor, Operand, ShapeOf, Tensor, WiderDType } from "./types/tensor.ts";

/** A function of two tensors that broadcast, or of a tensor and a number: `[2, 3]` and `[3]` give `[2, 3]`. */
export type Arithmetic<Op extends string, D extends DType | "wider" = "wider"> = <
  A extends NumberOrTensor,
  B extends NumberOrTensor,
>(
  a: A,
  b: IfBroadcast<Op, LeftShape<A, B>, ShapeOf<B>, B>,
) => Tensor<Broadcast<LeftShape<A, B>, ShapeOf<B>, A>, D extends DType ? D : WiderDType<A, B>>;

const widths = ["bool", "int32", "float32"];

/** The wider dtype of bool, int32 and float32; an integer takes the dtype of the tensor it is combined with. */
function commonDType(op: string, a: Operand, b: Operand): DType {
  if (typeof a !== "number" && typeof b !== "number" && a.dtype === b.dtype && a.dtype === "float32") return "float32";
  let width = -1;
  for (const x of [a, b]) {
    if (typeof x === "number") continue;
    const own = widths.indexOf(x.dtype);
    if (own < 0) throw new TypeError(`${op}: ${x.dtype} tensors are not supported; use the functions of tf`);
    width = Math.max(width, own);
  }
  for (const x of [a, b]) if (typeof x === "number") width = Math.max(width, Number.isInteger(x) && width >= 0 ? 1 : 2);
  return widths[width] as DType;
}

function operand(op: string, x: Operand, dtype: DType, other: Operand): AnyTensor {
  if (typeof x === "number") return numberOf(dtype === "int32" ? int32Of(op, x) : x, dtype);
  return dtype === "float32" ? floatsBeside(x, other) : cast(x, dtype);
}

/** A scalar to compute with. A captured step takes it as an input, so that a step with another number is the same step. */
const numberOf = (value: number, dtype: DType): AnyTensor =>
  isNative() && !isCapturing() ? (scalar(value, dtype) as AnyTensor) : scalarOf(value, dtype);

/** Tensors of more axes than TensorFlow's kernels broadcast. */
const isWide = (x: AnyTensor, y: AnyTensor): boolean =>
  Math.max(x.rank, y.rank) > 5 && x.size !== 1 && y.size !== 1 && !sameShape(x.shape, y.shape);

function broadcasting(op: string, kernel: string, x: AnyTensor, y: AnyTensor): AnyTensor {
  if (!isWide(x, y)) return run(kernel, { a: x, b: y });
  return scoped(op, () => {
    const shape = broadcastShape(x.shape, y.shape);
    return run(kernel, { a: expandTo(x, shape), b: expandTo(y, shape) });
  });
}

/** Two operands of one dtype into one kernel. */
function pair(op: string, kernel: string, a: Operand, b: Operand, wanted?: DType | "numeric"): AnyTensor {
  if (typeof a !== "number") checkTensor(op, a);
  if (typeof b !== "number") checkTensor(op, b);
  const common = wanted === undefined || wanted === "numeric" ? commonDType(op, a, b) : wanted;
  const dtype = wanted === "numeric" && common === "bool" ? "int32" : common;
  const x = operand(op, a, dtype, b);
  const y = operand(op, b, dtype, a);
  const names = broadcastNames(op, x, y);
  const result =
    kernel === "FloorDiv"
      ? // For halves, TensorFlow's kernel rounds the quotient before it takes the floor.
        inFloat32(op, "unlisted", [x, y], (p, q) => broadcasting(op, kernel, p, q), [
          ...(typeof a === "number" ? [] : [x]),
          ...(typeof b === "number" ? [] : [y]),
        ])
      : broadcasting(op, kernel, x, y);
  // Constants are kept.
  if (!x.kept) drop(x, a);
  if (!y.kept) drop(y, b);
  return names === undefined ? result : label(result, names);
}

const arithmetic = <Op extends string>(op: Op, kernel: string): Arithmetic<Op> =>
  ((a: Operand, b: Operand) => pair(op, kernel, a, b, "numeric")) as Arithmetic<Op>;

/** Bools compare as 0 and 1, as in NumPy. */
const comparison = <Op extends string>(op: Op, kernel: string): Arithmetic<Op, "bool"> =>
  ((a: Operand, b: Operand) => pair(op, kernel, a, b, "numeric")) as Arithmetic<Op, "bool">;

const logical = <Op extends string>(op: Op, kernel: string): Arithmetic<Op, "bool"> =>
  ((a: Operand, b: Operand) => pair(op, kernel, a, b, "bool")) as Arithmetic<Op, "bool">;

/**
 * Addition, elementwise, broadcasts: `a + b`. Bools count as integers. An integer operand takes the dtype of the tensor it is
 * added to, a fraction makes the result float32; so for all arithmetic.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for a tensor of strings or complex numbers
 */
export const add = arithmetic("add", "Add");
/**
 * Subtraction, elementwise, broadcasts: `a - b`.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const sub = arithmetic("sub", "Sub");
/**
 * Multiplication, elementwise, broadcasts: `a * b`.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const mul = arithmetic("mul", "Multiply");
/**
 * Division, elementwise, broadcasts: `a / b`, always in float32. `floorDiv` keeps integers.
 *
 * @throws ShapeError when the shapes do not broadcast
 */
export const div = ((a: Operand, b: Operand) => pair("div", "RealDiv", a, b, "float32")) as Arithmetic<
  "div",
  "float32"
>;
/**
 * The angle of the point (b, a) in radians, elementwise, broadcasts: `atan(a / b)` in the quadrant of the two signs, in float32.
 *
 * @throws ShapeError when the shapes do not broadcast
 */
export const atan2 = ((a: Operand, b: Operand) => pair("atan2", "Atan2", a, b, "float32")) as Arithmetic<
  "atan2",
  "float32"
>;
/** Arithmetic that throws for two integers without an integer result, as in NumPy and PyTorch. */
const forWhole = <Op extends string>(
  op: Op,
  kernel: string,
  hasAnswer: (right: number) => boolean,
  why: string,
): Arithmetic<Op> => {
  const compute = arithmetic(op, kernel) as (a: Operand, b: Operand) => AnyTensor;
  const isWhole = (x: Operand) => (typeof x === "number" ? Number.isInteger(x) : x.dtype !== "float32");
  return ((a: Operand, b: Operand) => {
    const tensors = [a, b].filter((x) => typeof x !== "number");
    for (const x of tensors) checkTensor(op, x);
    if (tensors.length > 0 && isWhole(a) && isWhole(b)) {
      const wrong = [...(typeof b === "number" ? [b] : valuesOfAll(b))].find((right) => !hasAnswer(right));
      if (wrong !== undefined)
        throw new RangeError(`${op}: ${why} ${wrong}; convert one of them with asType(x, "float32")`);
    }
    return compute(a, b);
  }) as Arithmetic<Op>;
};

/**
 * Division rounded down, elementwise, broadcasts: `floor(a / b)`. Integers stay integers.
 *
 * @throws RangeError for integers divided by 0; ShapeError when the shapes do not broadcast; TypeError for
 *   strings or complex numbers
 */
export const floorDiv = forWhole("floorDiv", "FloorDiv", (right) => right !== 0, "cannot divide integers by");
/**
 * The remainder of `floorDiv`, elementwise, broadcasts: `a - b * floor(a / b)`, with the sign of `b` (`torch.remainder`).
 *
 * @throws RangeError for integers divided by 0; ShapeError when the shapes do not broadcast; TypeError for
 *   strings or complex numbers
 */
export const mod = forWhole("mod", "Mod", (right) => right !== 0, "cannot divide integers by");
/**
 * The power, elementwise, broadcasts: `a ** b`.
 *
 * @throws RangeError for integers raised to a negative integer; ShapeError when the shapes do not broadcast; TypeError for
 *   strings or complex numbers
 */
export const pow = forWhole("pow", "Pow", (right) => right >= 0, "cannot raise integers to the power");
/**
 * The larger of two elements, elementwise, broadcasts; NaN where either is NaN.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const maximum = arithmetic("maximum", "Maximum");
/**
 * The smaller of two elements, elementwise, broadcasts; NaN where either is NaN.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const minimum = arithmetic("minimum", "Minimum");

/**
 * Whether `a == b`, elementwise, broadcasts. Bools compare as 0 and 1; the result is bool.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const equal = comparison("equal", "Equal");
/**
 * Whether `a != b`, elementwise, broadcasts; the result is bool.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const notEqual = comparison("notEqual", "NotEqual");
/**
 * Whether `a < b`, elementwise, broadcasts; the result is bool.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const less = comparison("less", "Less");
/**
 * Whether `a <= b`, elementwise, broadcasts; the result is bool.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const lessEqual = comparison("lessEqual", "LessEqual");
/**
 * Whether `a > b`, elementwise, broadcasts; the result is bool.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const greater = comparison("greater", "Greater");
/**
 * Whether `a >= b`, elementwise, broadcasts; the result is bool.
 *
 * @throws ShapeError when the shapes do not broadcast; TypeError for strings or complex numbers
 */
export const greaterEqual = comparison("greaterEqual", "GreaterEqual");

/**
 * Logical and, elementwise, broadcasts. Numbers are true unless they are 0; the result is bool.
 *
 * @throws ShapeError when the shapes do not broadcast
 */
export const logicalAnd = logical("logicalAnd", "LogicalAnd");
/**
 * Logical or, elementwise, broadcasts. Numbers are true unless they are 0; the result is bool.
 *
 * @throws ShapeError when the shapes do not broadcast
 */
export const logicalOr = logical("logicalOr", "LogicalOr");
