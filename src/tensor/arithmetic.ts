// Arithmetic and comparison, with broadcasting.
import { broadcastNames } from "./broadcast.ts";
import { cast, checkTensor, drop, run, scalarOf } from "./engine.ts";
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

/** Two operands of one dtype into one kernel. */
function pair(op: string, kernel: string, a: Operand, b: Operand, wanted?: DType | "numeric"): AnyTensor {
  if (typeof a !== "number") checkTensor(op, a);
  if (typeof b !== "number") checkTensor(op, b);
  const common = wanted === undefined || wanted === "numeric" ? commonDType(op, a, b) : wanted;
  const dtype = wanted === "numeric" && common === "bool" ? "int32" : common;
  const x = operand(op, a, dtype);
  const y = operand(op, b, dtype);
  const names = broadcastNames(op, x, y);
  const result = run(kernel, { a: x, b: y });
  drop(x, a);
  drop(y, b);
  return names === undefined ? result : label(result, names);
}

const arithmetic = <Op extends string>(op: Op, kernel: string): Arithmetic<Op> =>
  ((a: Operand, b: Operand) => pair(op, kernel, a, b, "numeric")) as Arithmetic<Op>;

const comparison = <Op extends string>(op: Op, kernel: string): Arithmetic<Op, "bool"> =>
  ((a: Operand, b: Operand) => pair(op, kernel, a, b)) as Arithmetic<Op, "bool">;

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
/** The whole part of a / b, rounded down. */
export const floorDiv = arithmetic("floorDiv", "FloorDiv");
/** What floorDiv leaves; it has the sign of b. */
export const mod = arithmetic("mod", "Mod");
/** a to the power b. */
export const pow = arithmetic("pow", "Pow");
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
