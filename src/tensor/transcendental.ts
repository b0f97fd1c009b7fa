// The inverse and hyperbolic functions, logarithms of other bases, and what is a few of the basic functions.
import { type Arithmetic, add, div, equal, less, logicalOr, maximum, mul } from "./arithmetic.ts";
import { broadcastNames } from "./broadcast.ts";
import { abs, ceil, float, floor, isInfinite, sqrt, square, type To } from "./elementwise.ts";
import { cast, checkTensor, run, scalarOf, scoped } from "./engine.ts";
import { stopGradient } from "./grad.ts";
import { floatsBeside, inFloat32 } from "./half.ts";
import { label, namesOf } from "./names.ts";
import type { AnyTensor, Operand } from "./types/tensor.ts";
import { where } from "./where.ts";

/** The angle in radians, in [-pi/2, pi/2], whose sine is x, elementwise; NaN outside [-1, 1]. */
export const asin = float("asin", "Asin");
/** The angle in radians, in [0, pi], whose cosine is x, elementwise; NaN outside [-1, 1]. */
export const acos = float("acos", "Acos");
/** The angle in radians, in [-pi/2, pi/2], whose tangent is x, elementwise. */
export const atan = float("atan", "Atan");
/** The hyperbolic sine, elementwise. */
export const sinh = float("sinh", "Sinh");
/** The hyperbolic cosine, elementwise. */
export const cosh = float("cosh", "Cosh");
/** The inverse of the hyperbolic sine, elementwise. */
export const asinh = float("asinh", "Asinh");
/** The inverse of the hyperbolic cosine, elementwise; NaN below 1. */
export const acosh = float("acosh", "Acosh");
/** The inverse of the hyperbolic tangent, elementwise; NaN outside [-1, 1]. */
export const atanh = float("atanh", "Atanh");

/** A function of float32 made of several ops; a half is rounded once, at its end. */
const composed = (op: string, autocast: "float32" | "unlisted", f: (x: AnyTensor) => AnyTensor) =>
  ((x: AnyTensor): AnyTensor => {
    checkTensor(op, x);
    const compute = (given: AnyTensor) => scoped(op, () => f(cast(given, "float32")));
    return label(inFloat32(op, autocast, [x], compute), namesOf(x));
  }) as To<"float32">;

const logOfBase = (op: string, base: number) =>
  composed(op, "float32", (x) => run("RealDiv", { a: run("Log", { x }), b: scalarOf(base, "float32") }));

/** The logarithm of base 2, elementwise. */
export const log2 = logOfBase("log2", Math.LN2);
/** The logarithm of base 10, elementwise. */
export const log10 = logOfBase("log10", Math.LN10);
/** The number without its fraction, elementwise, in float32. */
export const trunc = composed("trunc", "unlisted", (x) => where(less(x, 0), ceil(x), floor(x)));

/**
 * The length of the vector (a, b), elementwise, broadcasts: `sqrt(a * a + b * b)` without overflow, in float32. NaN where either is NaN.
 *
 * @throws ShapeError when the shapes do not broadcast
 */
export const hypot = ((a: Operand, b: Operand): AnyTensor => {
  const read = (operand: Operand, other: Operand) => {
    if (typeof operand === "number") return scalarOf(operand, "float32");
    checkTensor("hypot", operand);
    return floatsBeside(operand, other);
  };
  const [x, y] = [read(a, b), read(b, a)];
  const typed = [...(typeof a === "number" ? [] : [x]), ...(typeof b === "number" ? [] : [y])];
  const names = broadcastNames("hypot", x, y);
  const compute = (p: AnyTensor, q: AnyTensor) =>
    scoped("hypot", () => {
      const largest = stopGradient(maximum(abs(p), abs(q)));
      const unit = where(logicalOr(equal(largest, 0), isInfinite(largest)), 1, largest);
      return mul(unit, sqrt(add(square(div(p, unit)), square(div(q, unit)))));
    });
  return label(inFloat32("hypot", "unlisted", [x, y], compute, typed), names);
}) as Arithmetic<"hypot", "float32">;
