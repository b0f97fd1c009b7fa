// Linear systems: solutions, inverses and the Cholesky factor.
import { sizeOf } from "../../base/shape.ts";
import { broadcastShape, expandTo } from "../broadcast.ts";
import { cast, checkTensor, differentiable, filledLike, reshapeTo, run, scoped } from "../engine.ts";
import { floatsBeside, inFloat32 } from "../half.ts";
import { checkProduct, type IfMatmul, type MatmulShape, productNames } from "../matmul.ts";
import { label, namesOf, shapeText } from "../names.ts";
import type { IfSquare } from "../types/linalg.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../types/tensor.ts";
import { choleskyKernel, inverseKernel, solveKernel, triangularKernel } from "./kernels.ts";
import {
  checkSquare,
  negative,
  onBatch,
  pattern,
  productTA,
  productTB,
  singular,
  symmetricPart,
  times,
  turned,
} from "./matrices.ts";

type Solver = (a: AnyTensor, b: AnyTensor) => AnyTensor;

/** A solver of [b, n, n] and [b, n, k] for operands whose batch axes broadcast; a vector is a column. */
function solving(op: string, a: AnyTensor, b: AnyTensor, solver: Solver): AnyTensor {
  checkSquare(op, a);
  checkTensor(op, b);
  checkProduct(op, a, b);
  const compute = (left: AnyTensor, right: AnyTensor) =>
    scoped(op, () => {
      const [x, y] = [floatsBeside(left, right), floatsBeside(right, left)];
      const n = x.shape.at(-1)!;
      const column = y.rank === 1 ? reshapeTo(y, [n, 1]) : y;
      const k = column.shape.at(-1)!;
      const batch = broadcastShape(x.shape.slice(0, -2), column.shape.slice(0, -2));
      const flat = (z: AnyTensor, last: number[]) =>
        reshapeTo(expandTo(z, [...batch, ...last]), [sizeOf(batch), ...last]);
      const shape = y.rank === 1 ? [...batch, n] : [...batch, n, k];
      if (sizeOf(shape) === 0) return filledLike(y, shape, 0);
      return reshapeTo(solver(flat(x, [n, n]), flat(column, [n, k])), shape);
    });
  return label(inFloat32(op, "float32", [a, b], compute), productNames(a, b));
}

/**
 * The solution X of A X = B: `[..., n, n]` and `[..., n, k]` give `[..., n, k]`, `[..., n, n]` and `[n]` give `[..., n]`, in float32; the leading axes
 * broadcast (`torch.linalg.solve`).
 *
 * @throws ShapeError when the shapes do not fit or A is not square; RangeError for a singular matrix
 */
export function solve<A extends TensorOperand, B extends TensorOperand>(
  a: IfSquare<"solve", ShapeOf<A>, A>,
  b: IfMatmul<ShapeOf<A>, ShapeOf<B>, B, "solve">,
): Tensor<MatmulShape<ShapeOf<A>, ShapeOf<B>>, "float32">;
export function solve(a: AnyTensor, b: AnyTensor): AnyTensor {
  return solving("solve", a, b, (x, y) => general(x, y, false, singular("solve", a)));
}

function general(a: AnyTensor, b: AnyTensor, isTransposed: boolean, fail: () => Error): AnyTensor {
  return differentiable("solve", [a, b], {
    forward: () => solveKernel(a, b, isTransposed, fail),
    keep: (value) => [a, value],
    backward: (dy, [left, x]) => {
      const slope = () => general(left!, dy, !isTransposed, fail);
      return [() => negative(isTransposed ? productTB(x!, slope()) : productTB(slope(), x!)), slope];
    },
  });
}

/**
 * The solution X of A X = B by the lower triangle of A, or the upper one: `[..., n, n]` and `[..., n, k]` give `[..., n, k]`, `[..., n, n]` and `[n]` give
 * `[..., n]`, in float32; the leading axes broadcast (`torch.linalg.solve_triangular`). What is outside the triangle is not read. Zeros on the diagonal
 * give infinities or NaN.
 *
 * @throws ShapeError when the shapes do not fit or A is not square
 */
export function solveTriangular<A extends TensorOperand, B extends TensorOperand>(
  a: IfSquare<"solveTriangular", ShapeOf<A>, A>,
  b: IfMatmul<ShapeOf<A>, ShapeOf<B>, B, "solveTriangular">,
  options?: { upper?: boolean },
): Tensor<MatmulShape<ShapeOf<A>, ShapeOf<B>>, "float32">;
export function solveTriangular(a: AnyTensor, b: AnyTensor, { upper = false }: { upper?: boolean } = {}): AnyTensor {
  return solving("solveTriangular", a, b, (x, y) => triangular(x, y, !upper, false));
}

/** The solution of T X = B, or T^T X = B, for a triangle T of A. */
export function triangular(a: AnyTensor, b: AnyTensor, isLower: boolean, isTransposed: boolean): AnyTensor {
  return differentiable("solveTriangular", [a, b], {
    forward: () => triangularKernel(a, b, isLower, isTransposed),
    keep: (value) => [a, value],
    backward: (dy, [left, x]) => {
      const slope = () => triangular(left!, dy, isLower, !isTransposed);
      return [
        () => {
          const outer = isTransposed ? productTB(x!, slope()) : productTB(slope(), x!);
          return negative(times(outer, triangle(a.shape[1]!, isLower)));
        },
        slope,
      ];
    },
  });
}

const triangle = (n: number, isLower: boolean): AnyTensor =>
  pattern(n, (i, j) => ((isLower ? i >= j : i <= j) ? 1 : 0));

/**
 * The inverses of matrices: `[..., n, n]` gives `[..., n, n]`, in float32 (`torch.linalg.inv`). `solve` is more accurate than a product with it.
 *
 * @throws ShapeError for matrices that are not square; RangeError for a singular one
 */
export function inv<A extends TensorOperand>(a: IfSquare<"inv", ShapeOf<A>, A>): Tensor<ShapeOf<A>, "float32">;
export function inv(a: AnyTensor): AnyTensor {
  checkSquare("inv", a);
  if (a.size === 0) return run("Identity", { x: cast(a, "float32") });
  const result = onBatch("inv", a, (batch) => reshapeTo(inverse(batch, singular("inv", a)), a.shape));
  return label(result, namesOf(a));
}

export function inverse(a: AnyTensor, fail: () => Error): AnyTensor {
  return differentiable("inv", [a], {
    forward: () => inverseKernel(a, fail),
    keep: (value) => [value],
    backward: (dy, [x]) => [() => negative(productTB(productTA(x!, dy), x!))],
  });
}

/**
 * The lower triangle L of A = L L^T: `[..., n, n]` gives `[..., n, n]`, in float32 (`torch.linalg.cholesky`). Of A, which must be symmetric and positive
 * definite, the lower triangle is read; its gradient is symmetric.
 *
 * @throws ShapeError for matrices that are not square; RangeError for one that is not positive definite
 */
export function cholesky<A extends TensorOperand>(
  a: IfSquare<"cholesky", ShapeOf<A>, A>,
): Tensor<ShapeOf<A>, "float32">;
export function cholesky(a: AnyTensor): AnyTensor {
  checkSquare("cholesky", a);
  if (a.size === 0) return run("Identity", { x: cast(a, "float32") });
  const fail = () => new RangeError(`cholesky: a matrix of ${shapeText(a)} is not positive definite`);
  const result = onBatch("cholesky", a, (batch) => reshapeTo(factor(batch, fail), a.shape));
  return label(result, namesOf(a));
}

function factor(a: AnyTensor, fail: () => Error): AnyTensor {
  return differentiable("cholesky", [a], {
    forward: () => choleskyKernel(a, fail),
    keep: (value) => [value],
    // Murray 2016, "Differentiation of the Cholesky decomposition", 4.
    backward: (dy, [l]) => [
      () => {
        const n = a.shape[1]!;
        const half = pattern(n, (i, j) => (i > j ? 1 : i === j ? 0.5 : 0));
        const left = triangular(l!, times(productTA(l!, dy), half), true, true);
        const whole = triangular(l!, turned(left), true, true);
        return symmetricPart(whole);
      },
    ],
  });
}
