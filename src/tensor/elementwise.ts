// One element in, one element out.
import { nativeStorageOf } from "../runtime/index.ts";
import { cast, checkTensor, differentiable, drop, run, scalarOf, scoped } from "./engine.ts";
import { inFloat32 } from "./half.ts";
import { checkInt32, int32Bound } from "./int32.ts";
import { label, namesOf } from "./names.ts";
import { erf as boundedErf } from "./primitives.ts";
import type { Whole } from "./reductions.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

type Same = <T extends TensorOperand>(x: T) => Tensor<ShapeOf<T>, Whole<DTypeOf<T>>>;
export type To<D extends DType> = <T extends TensorOperand>(x: T) => Tensor<ShapeOf<T>, D>;

/** A function of one tensor that has the op's name, which the summary of a `sequential` shows. */
const unary = (op: string, kernel: string, wanted: DType | "numeric", attributes?: Record<string, unknown>) => {
  const named = {
    [op]: (x: AnyTensor) => {
      checkTensor(op, x);
      const input = cast(x, wanted !== "numeric" ? wanted : x.dtype === "bool" ? "int32" : (x.dtype as DType));
      const result = run(kernel, { x: input }, attributes);
      drop(input, x);
      return label(result, namesOf(x));
    },
  };
  return named[op]!;
};
/** Bools are made whole numbers first. */
const same = (op: string, kernel: string) => unary(op, kernel, "numeric") as Same;
/** Whole numbers are made float32 first. */
export const float = (op: string, kernel: string) => unary(op, kernel, "float32") as To<"float32">;
const test = (op: string, kernel: string) => unary(op, kernel, "float32") as To<"bool">;

/** The absolute value, elementwise: `|x|`. As in PyTorch, the gradient at 0 is 0. */
export const abs = same("abs", "Abs");
/** Negation, elementwise: `-x`. */
export const neg = same("neg", "Neg");
/** The sign, elementwise: -1, 0 or 1; NaN for NaN. */
export const sign = same("sign", "Sign");
/** The square, elementwise: `x * x`. */
export const square = same("square", "Square");
/** The rectified linear unit, elementwise: `max(x, 0)`. */
export const relu = same("relu", "Relu");

/** The exponential, elementwise: `e ** x`. */
export const exp = float("exp", "Exp");
/** `exp(x) - 1`, elementwise, accurate near 0. */
export const expm1 = float("expm1", "Expm1");
/** The natural logarithm, elementwise. */
export const log = float("log", "Log");
/** `log(1 + x)`, elementwise, accurate near 0. */
export const log1p = float("log1p", "Log1p");
/** The square root, elementwise. */
export const sqrt = float("sqrt", "Sqrt");
/** The reciprocal of the square root, elementwise: `1 / sqrt(x)`. */
export const rsqrt = float("rsqrt", "Rsqrt");
/** The reciprocal, elementwise: `1 / x`. */
export const reciprocal = float("reciprocal", "Reciprocal");
/** The sine of an angle in radians, elementwise. */
export const sin = float("sin", "Sin");
/** The cosine of an angle in radians, elementwise. */
export const cos = float("cos", "Cos");
/** The tangent of an angle in radians, elementwise. */
export const tan = float("tan", "Tan");
/** The hyperbolic tangent, elementwise. */
export const tanh = float("tanh", "Tanh");
/** The logistic sigmoid, elementwise: `1 / (1 + exp(-x))`. */
export const sigmoid = float("sigmoid", "Sigmoid");
const plainSoftplus = unary("softplus", "Softplus", "float32");
/** The softplus function, elementwise: `log(1 + exp(x))`. */
export const softplus = ((x: AnyTensor): AnyTensor => {
  checkTensor("softplus", x);
  // TensorFlow's kernel rounds exp(x) to half precision on its way.
  return label(inFloat32("softplus", "float32", [x], plainSoftplus), namesOf(x));
}) as To<"float32">;
const plainErf = unary("erf", "Erf", "float32");
const product = (a: AnyTensor, b: AnyTensor) => run("Multiply", { a, b });
/** Tensor times number. */
const times = (x: AnyTensor, factor: number) => product(x, scalarOf(factor, "float32"));
/** The error function, elementwise. */
export const erf = ((x: AnyTensor): AnyTensor => {
  checkTensor("erf", x);
  if (nativeStorageOf(x) !== "float64") return plainErf(x);
  const result = differentiable("erf", [x], {
    forward: () => boundedErf(x),
    keep: () => [x],
    backward: (dy, [kept]) => [
      () => times(product(dy, run("Exp", { x: times(run("Square", { x: kept! }), -1) })), 2 / Math.sqrt(Math.PI)),
    ],
  });
  return label(result, namesOf(x));
}) as To<"float32">;
/** Rounds down, elementwise, in float32. */
export const floor = float("floor", "Floor");
/** Rounds up, elementwise, in float32. */
export const ceil = float("ceil", "Ceil");
/** Rounds to the nearest integer, elementwise, halves to the even one, in float32. */
export const round = float("round", "Round");

/** Whether an element is NaN, elementwise; the result is bool. */
const nan = test("isNaN", "IsNan");
/** Whether an element is neither infinite nor NaN, elementwise; the result is bool. */
const finite = test("isFinite", "IsFinite");
/** Whether an element is plus or minus infinity, elementwise; the result is bool. */
const infinite = test("isInfinite", "IsInf");

export { finite as isFinite, infinite as isInfinite, nan as isNaN };
/** Logical not, elementwise. Numbers are true unless they are 0; the result is bool. */
export const logicalNot = unary("logicalNot", "LogicalNot", "bool") as To<"bool">;

/** The leaky rectified linear unit, elementwise: `x`, or `slope * x` where x is negative. `slope` is 0.01 by default. */
export function leakyRelu<T extends TensorOperand>(x: T, slope?: number): Tensor<ShapeOf<T>, "float32">;
export function leakyRelu(x: AnyTensor, slope = 0.01): AnyTensor {
  checkTensor("leakyRelu", x);
  const isExact = Math.fround(slope) === slope || nativeStorageOf(x) !== "float64";
  if (isExact) return unary("leakyRelu", "LeakyRelu", "float32", { alpha: slope })(x);
  // TensorFlow's kernel takes the slope as float32, also for doubles.
  const scaled = (value: AnyTensor, by: AnyTensor) =>
    run("Select", {
      condition: run("Greater", { a: by, b: scalarOf(0, "float32") }),
      t: value,
      e: run("Multiply", { a: value, b: scalarOf(slope, "float32") }),
    });
  const result = differentiable("leakyRelu", [x], {
    forward: () => scaled(x, x),
    keep: () => [x],
    backward: (dy, [kept]) => [() => scaled(dy, kept!)],
  });
  return label(result, namesOf(x));
}

/**
 * Limits each element to `[low, high]`, elementwise; both ends are required, and may be infinite. NaN stays NaN. As in PyTorch,
 * the gradient at a bound is 0. int32 elements stay int32, also with fractional bounds.
 *
 * @throws RangeError when `low` is above `high`, or no int32 lies between them
 */
export function clip<T extends TensorOperand>(x: T, low: number, high: number): Tensor<ShapeOf<T>, Whole<DTypeOf<T>>>;
export function clip(x: AnyTensor, low: number, high: number): AnyTensor {
  checkTensor("clip", x);
  if (!(low <= high)) throw new RangeError(`clip: low must not be above high, got ${low} and ${high}`);
  if (x.dtype !== "int32") return unary("clip", "ClipByValue", "numeric", { clipValueMin: low, clipValueMax: high })(x);
  const [from, to] = [int32Bound(Math.ceil(low)), int32Bound(Math.floor(high))];
  if (from > to || from > high || to < low) throw new RangeError(`clip: no int32 lies between ${low} and ${high}`);
  // WebAssembly's kernel reads integers as the bits of floats.
  const within = () => {
    const raised = run("Maximum", { a: x, b: scalarOf(from, "int32") });
    return run("Minimum", { a: raised, b: scalarOf(to, "int32") });
  };
  return label(scoped("clip", within), namesOf(x));
}

/**
 * Converts a tensor of any shape to another dtype; gives the tensor itself where it has that dtype. float32 to int32 drops
 * fractions, and waits for the elements to check them.
 *
 * @throws RangeError for an element outside int32
 */
export function asType<T extends TensorOperand, const D extends DType>(x: T, dtype: D): Tensor<ShapeOf<T>, D>;
export function asType(x: AnyTensor, dtype: DType): AnyTensor {
  checkTensor("asType", x);
  if (dtype === "int32" && x.dtype === "float32") checkInt32("asType", x);
  return cast(x, dtype);
}
