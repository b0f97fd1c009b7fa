// Arithmetic and comparison, with broadcasting.
import { broadcastNames, broadcastShape, expandTo } from "./broadcast.ts";
import { cast, checkTensor, drop, run, sameShape, scalarOf, scoped } from "./engine.ts";
import { inFloat32 } from "./half.ts";
import { int32Of } from "./int32.ts";
import { label } from "./names.ts";
import type { Broadcast, DType, IfBroadcast } from "./types/shape.ts";
import type { AnyTensor, NumberOrTensor, Operand, ShapeOf, Tensor, WiderDType } from "./types/tensor.ts";

type Arithmetic<Op extends string, D extends DType | "wider" = "wider"> = <
  A extends NumberOrTensor,
  B extends NumberOrTensor,
>(
  a: A,
  b: IfBroadcast<Op, ShapeOf<A>, ShapeOf<B>, B>,
) => Tensor<Broadcast<ShapeOf<A>, ShapeOf<B>>, D extends DType ? D : WiderDType<A, B>>;

const widths = ["bool", "int32", "float32"];

/** bool, int32, float32: the wider of the two; a whole number takes the dtype of the tensor beside it. */
function commonDType(op: string, a: Operand, b: Operand): DType {
  if (typeof a !== "number" && typeof b !== "number" && a.dtype === b.dtype && a.dtype === "float32") return "float32";
  let width = -1;
  for (const x of [a, b]) {
    if (typeof x === "number") continue;
    const own = widths.indexOf(x.dtype);
    if (own < 0) throw new TypeError(`${op}: ${x.dtype} tensors have no arithmetic here; use the functions of tf`);
    width = Math.max(width, own);
  }
  for (const x of [a, b]) if (typeof x === "number") width = Math.max(width, Number.isInteger(x) && width >= 0 ? 1 : 2);
  return widths[width] as DType;
}

const operand = (op: string, x: Operand, dtype: DType): AnyTensor =>
  typeof x === "number" ? scalarOf(dtype === "int32" ? int32Of(op, x) : x, dtype) : cast(x, dtype);

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
  const x = operand(op, a, dtype);
  const y = operand(op, b, dtype);
  const names = broadcastNames(op, x, y);
  const result =
    kernel === "FloorDiv"
      ? // Of halves, TensorFlow's kernel rounds the quotient before it looks for its whole part.
        inFloat32(op, "unlisted", [x, y], (p, q) => broadcasting(op, kernel, p, q))
      : broadcasting(op, kernel, x, y);
  drop(x, a);
  drop(y, b);
  return names === undefined ? result : label(result, names);
}

const arithmetic = <Op extends string>(op: Op, kernel: string): Arithmetic<Op> =>
  ((a: Operand, b: Operand) => pair(op, kernel, a, b, "numeric")) as Arithmetic<Op>;

/** Bools compare as 0 and 1, as in NumPy. */
const comparison = <Op extends string>(op: Op, kernel: string): Arithmetic<Op, "bool"> =>
  ((a: Operand, b: Operand) => pair(op, kernel, a, b, "numeric")) as Arithmetic<Op, "bool">;

const logical = <Op extends string>(op: Op, kernel: string): Arithmetic<Op, "bool"> =>
  ((a: Operand, b: Operand) => pair(op, kernel, a, b, "bool")) as Arithmetic<Op, "bool">;

/** a + b, broadcast. */
export const add = arithmetic("add", "Add");
/** a - b, broadcast. */
export const sub = arithmetic("sub", "Sub");
/** a * b, broadcast. */
export const mul = arithmetic("mul", "Multiply");
/** a / b, broadcast, always in float32 (floorDiv keeps whole numbers). */
export const div = ((a: Operand, b: Operand) => pair("div", "RealDiv", a, b, "float32")) as Arithmetic<
  "div",
  "float32"
>;
/** The same for two whole numbers only where the right one has an answer, as in NumPy and PyTorch. */
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
      const wrong = [...(typeof b === "number" ? [b] : b.dataSync())].find((right) => !hasAnswer(right));
      if (wrong !== undefined)
        throw new RangeError(`${op}: ${why} ${wrong}; convert one of them with asType(x, "float32")`);
    }
    return compute(a, b);
  }) as Arithmetic<Op>;
};

/** The whole part of a / b, rounded down. Throws RangeError for whole numbers divided by 0. */
export const floorDiv = forWhole("floorDiv", "FloorDiv", (right) => right !== 0, "whole numbers cannot be divided by");
/** What floorDiv leaves; it has the sign of b. Throws RangeError for whole numbers divided by 0. */
export const mod = forWhole("mod", "Mod", (right) => right !== 0, "whole numbers cannot be divided by");
/** a to the power b. Throws RangeError for a whole number to the power of a negative one. */
export const pow = forWhole("pow", "Pow", (right) => right >= 0, "a whole number cannot have the power");
/** The larger of each two; NaN where either is. */
export const maximum = arithmetic("maximum", "Maximum");
/** The smaller of each two; NaN where either is. */
export const minimum = arithmetic("minimum", "Minimum");

export const equal = comparison("equal", "Equal");
export const notEqual = comparison("notEqual", "NotEqual");
export const less = comparison("less", "Less");
export const lessEqual = comparison("lessEqual", "LessEqual");
export const greater = comparison("greater", "Greater");
export const greaterEqual = comparison("greaterEqual", "GreaterEqual");

export const logicalAnd = logical("logicalAnd", "LogicalAnd");
export const logicalOr = logical("logicalOr", "LogicalOr");
