// Determinants.
import { valuesOfAll } from "../../runtime/levels.ts";
import { differentiable, filledLike, reduceOver, reshapeTo, run, scoped } from "../engine.ts";
import { label } from "../names.ts";
import { noGrad } from "../tape.ts";
import type { Beside, IfSquare } from "../types/linalg.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../types/tensor.ts";
import { determinantKernel, logDeterminantKernel } from "./kernels.ts";
import {
  alongColumns,
  checkSquare,
  namesBeside,
  onBatch,
  partOf,
  pattern,
  plus,
  product,
  singular,
  times,
  turned,
} from "./matrices.ts";
import { inverse } from "./solve.ts";
import { singularParts } from "./svd.ts";

/**
 * The determinants of matrices: `[..., n, n]` gives `[...]`, in float32 (`torch.linalg.det`). A singular matrix has its gradient too.
 *
 * @throws ShapeError for matrices that are not square
 */
export function det<A extends TensorOperand>(a: IfSquare<"det", ShapeOf<A>, A>): Tensor<Beside<ShapeOf<A>>, "float32">;
export function det(a: AnyTensor): AnyTensor {
  checkSquare("det", a);
  const batch = a.shape.slice(0, -2);
  if (a.size === 0) return label(filledLike(a, batch, 1, "float32"), namesBeside(a));
  return label(
    onBatch("det", a, (matrices) => reshapeTo(determinant(matrices), batch)),
    namesBeside(a),
  );
}

function determinant(a: AnyTensor): AnyTensor {
  return differentiable("det", [a], {
    forward: () => determinantKernel(a),
    keep: (value) => [a, value],
    backward: (dy, [matrix, value]) => [
      () => {
        const isInvertible = valuesOfAll(value!).every((each) => each !== 0 && Number.isFinite(each));
        const scale = (x: AnyTensor) => reshapeTo(x, [a.shape[0]!, 1, 1]);
        if (!isInvertible) return times(cofactors(matrix!), scale(dy));
        return times(turned(inverse(matrix!, singular("det", matrix!))), scale(times(dy, value!)));
      },
    ],
  });
}

/** det(A) A^-T without a division by what may be 0: det(U) det(V) U diag(products of the other singular values) V^T. */
function cofactors(a: AnyTensor): AnyTensor {
  const n = a.shape[1]!;
  const { u, s, v } = singularParts(a);
  const sign = noGrad(() => times(determinantKernel(u), determinantKernel(v)));
  // Row i has all singular values but the one at i, which is 1.
  const others = plus(
    times(
      alongColumns(s),
      pattern(n, (i, j) => (i === j ? 0 : 1)),
    ),
    pattern(n, (i, j) => (i === j ? 1 : 0)),
  );
  const products = reduceOver("Prod", others, [2]);
  const signs = reshapeTo(run("Sign", { x: sign }), [a.shape[0]!, 1, 1]);
  return times(product(times(u, alongColumns(products)), turned(v)), signs);
}

/**
 * The sign of the determinants of matrices and the logarithm of their size, without overflow: `[..., n, n]` gives two of `[...]`, in float32
 * (`torch.linalg.slogdet`). A singular matrix has sign 0 and -Infinity, and no gradient.
 *
 * @throws ShapeError for matrices that are not square; RangeError in the backward pass for a singular one
 */
export function slogDet<A extends TensorOperand>(
  a: IfSquare<"slogDet", ShapeOf<A>, A>,
): { sign: Tensor<Beside<ShapeOf<A>>, "float32">; logAbsDet: Tensor<Beside<ShapeOf<A>>, "float32"> };
export function slogDet(a: AnyTensor): { sign: AnyTensor; logAbsDet: AnyTensor } {
  checkSquare("slogDet", a);
  const batch = a.shape.slice(0, -2);
  const names = namesBeside(a);
  if (a.size === 0)
    return {
      sign: label(filledLike(a, batch, 1, "float32"), names),
      logAbsDet: label(filledLike(a, batch, 0, "float32"), names),
    };
  const joined = onBatch("slogDet", a, signAndLogarithm);
  const part = (at: number) => scoped("slogDet", () => reshapeTo(partOf(joined, at, [1]), batch));
  const result = {
    sign: label(
      noGrad(() => part(0)),
      names,
    ),
    logAbsDet: label(part(1), names),
  };
  joined.dispose();
  return result;
}

function signAndLogarithm(a: AnyTensor): AnyTensor {
  return differentiable("slogDet", [a], {
    forward: () => logDeterminantKernel(a),
    keep: () => [a],
    backward: (dy, [matrix]) => [
      () => {
        const slope = reshapeTo(partOf(dy, 1, [1]), [a.shape[0]!, 1, 1]);
        return times(turned(inverse(matrix!, singular("slogDet", matrix!))), slope);
      },
    ],
  });
}
