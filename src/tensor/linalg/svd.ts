// Singular values, and what is made by them.
import { storageOf } from "../../storage/index.ts";
import { checkTensor, differentiable, filledLike, reduceOver, reshapeTo, run, scalarOf, scoped } from "../engine.ts";
import { floatsBeside } from "../half.ts";
import { checkProduct, type IfMatmul, type MatmulShape, matmul } from "../matmul.ts";
import { label, namesOf } from "../names.ts";
import type { Beside, Columns, Rows, Smaller } from "../types/linalg.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../types/tensor.ts";
import { svdKernel } from "./kernels.ts";
import {
  alongColumns,
  alongRows,
  asDiagonal,
  checkMatrix,
  inverseGaps,
  minus,
  namesBeside,
  onBatch,
  over,
  partOf,
  plus,
  product,
  productTA,
  productTB,
  times,
  turned,
} from "./matrices.ts";

/**
 * The matrices A as U diag(S) Vh, in float32: of `[..., m, n]`, `u` of `[..., m, k]` and `vh` of `[..., k, n]` have orthonormal columns and rows, and `s` of
 * `[..., k]` are the singular values in descending order, where k is the smaller of m and n (`torch.linalg.svd` with `full_matrices=False`). The signs of
 * the vectors are not determined and may differ between backends; where singular values are equal the gradient of the vectors is NaN or infinite.
 *
 * @throws ShapeError for fewer than two axes
 */
export function svd<A extends TensorOperand>(
  a: A,
): {
  u: Tensor<Beside<ShapeOf<A>, [Rows<ShapeOf<A>>, Smaller<ShapeOf<A>>]>, "float32">;
  s: Tensor<Beside<ShapeOf<A>, [Smaller<ShapeOf<A>>]>, "float32">;
  vh: Tensor<Beside<ShapeOf<A>, [Smaller<ShapeOf<A>>, Columns<ShapeOf<A>>]>, "float32">;
};
export function svd(a: AnyTensor): { u: AnyTensor; s: AnyTensor; vh: AnyTensor } {
  checkMatrix("svd", a);
  const batch = a.shape.slice(0, -2);
  const [m, n] = [a.shape[a.rank - 2]!, a.shape[a.rank - 1]!];
  const k = Math.min(m, n);
  const names = namesOf(a);
  const named = (u: AnyTensor, s: AnyTensor, vh: AnyTensor) => ({
    u: label(u, namesBeside(a, names?.at(-2), undefined)),
    s: label(s, namesBeside(a, undefined)),
    vh: label(vh, namesBeside(a, undefined, names?.at(-1))),
  });
  if (a.size === 0) {
    const none = (...shape: number[]) => filledLike(a, [...batch, ...shape], 0, "float32");
    return named(none(m, k), none(k), none(k, n));
  }
  const joined = onBatch("svd", a, decomposed);
  const part = (from: number, shape: number[], finish = (x: AnyTensor) => x) =>
    scoped("svd", () => {
      const found = finish(partOf(joined, from, shape));
      return reshapeTo(found, [...batch, ...found.shape.slice(1)]);
    });
  const result = named(part(k, [m, k]), part(0, [k]), part(k + m * k, [n, k], turned));
  joined.dispose();
  return result;
}

/** The parts of batches [b, m, n], with a gradient. */
export function singularParts(a: AnyTensor): { u: AnyTensor; s: AnyTensor; v: AnyTensor } {
  return partsOf(decomposed(a), a.shape[1]!, a.shape[2]!);
}

function partsOf(joined: AnyTensor, m: number, n: number): { u: AnyTensor; s: AnyTensor; v: AnyTensor } {
  const k = Math.min(m, n);
  return { s: partOf(joined, 0, [k]), u: partOf(joined, k, [m, k]), v: partOf(joined, k + m * k, [n, k]) };
}

function decomposed(a: AnyTensor): AnyTensor {
  const [, m, n] = a.shape as [number, number, number];
  return differentiable("svd", [a], {
    forward: () => svdKernel(a),
    keep: (value) => [value],
    // Townsend 2016, "Differentiating the singular value decomposition"; torch/csrc/autograd/FunctionsManual.cpp.
    backward: (dy, [kept]) => [
      () => {
        const { u, s, v } = partsOf(kept!, m, n);
        const { u: du, s: ds, v: dv } = partsOf(dy, m, n);
        const skew = (x: AnyTensor) => minus(x, turned(x));
        const gaps = inverseGaps(times(s, s));
        const left = times(times(skew(productTA(u, du)), gaps), alongColumns(s));
        const right = times(times(skew(productTA(v, dv)), gaps), alongRows(s));
        const within = productTB(product(u, plus(plus(left, right), asDiagonal(ds))), v);
        const outside = (x: AnyTensor, dx: AnyTensor) => over(minus(dx, product(x, productTA(x, dx))), alongColumns(s));
        if (m > n) return plus(within, productTB(outside(u, du), v));
        return n > m ? plus(within, productTB(u, outside(v, dv))) : within;
      },
    ],
  });
}

/**
 * The pseudoinverses of matrices: `[..., m, n]` gives `[..., n, m]`, in float32 (`torch.linalg.pinv`). Singular values below `rtol` times the largest count as
 * 0; `rtol` is the larger of m and n times the last place of 1 by default.
 *
 * @throws ShapeError for fewer than two axes
 */
export function pinv<A extends TensorOperand>(
  a: A,
  options?: { rtol?: number },
): Tensor<Beside<ShapeOf<A>, [Columns<ShapeOf<A>>, Rows<ShapeOf<A>>]>, "float32">;
export function pinv(a: AnyTensor, { rtol }: { rtol?: number } = {}): AnyTensor {
  checkMatrix("pinv", a);
  const [m, n] = [a.shape[a.rank - 2]!, a.shape[a.rank - 1]!];
  const shape = [...a.shape.slice(0, -2), n, m];
  const names = namesOf(a);
  const lastPlace = storageOf(a) === "float64" ? 2 ** -52 : 2 ** -23;
  const limit = rtol ?? Math.max(m, n) * lastPlace;
  const result =
    a.size === 0
      ? filledLike(a, shape, 0, "float32")
      : onBatch("pinv", a, (batch) => reshapeTo(pseudoinverse(batch, limit), shape));
  return label(result as AnyTensor, namesBeside(a, names?.at(-1), names?.at(-2)));
}

function pseudoinverse(a: AnyTensor, rtol: number): AnyTensor {
  return differentiable("pinv", [a], {
    forward: () => {
      const { u, s, v } = partsOf(svdKernel(a), a.shape[1]!, a.shape[2]!);
      const limit = times(reduceOver("Max", s, [1], true), scalarOf(rtol, "float32"));
      const isKept = run("Cast", { x: run("Greater", { a: s, b: limit }) }, { dtype: "float32" });
      const safe = plus(times(s, isKept), minus(scalarOf(1, "float32"), isKept));
      return productTB(times(v, alongColumns(over(isKept, safe))), u);
    },
    keep: (value) => [a, value],
    // Golub and Pereyra 1973, 4.12.
    backward: (dy, [matrix, inverse]) => [
      () => {
        const [x, p] = [matrix!, inverse!];
        const slope = turned(dy);
        const first = productTA(p, productTB(dy, p));
        const second = productTB(product(slope, p), p);
        const third = product(productTA(p, p), slope);
        const outside = plus(
          minus(second, product(x, product(p, second))),
          minus(third, product(product(third, p), x)),
        );
        return minus(outside, first);
      },
    ],
  });
}

/**
 * The X of least `norm(A X - B)`, and of these the one of least norm: `[..., m, n]` and `[..., m, k]` give `[..., n, k]`, in float32, by the pseudoinverse
 * (`torch.linalg.lstsq` gives it as `solution`). The leading axes broadcast; a vector `[m]` gives `[..., n]`.
 *
 * @throws ShapeError when the shapes do not fit
 */
export function lstsq<A extends TensorOperand, B extends TensorOperand>(
  a: A,
  b: IfMatmul<Transposed<ShapeOf<A>>, ShapeOf<B>, B, "lstsq">,
): Tensor<MatmulShape<Transposed<ShapeOf<A>>, ShapeOf<B>>, "float32">;
export function lstsq(a: AnyTensor, b: AnyTensor): AnyTensor {
  checkMatrix("lstsq", a);
  checkTensor("lstsq", b);
  const inverse = pinv(floatsBeside(a, b)) as AnyTensor;
  checkProduct("lstsq", inverse, b);
  const result = matmul(inverse, b) as AnyTensor;
  inverse.dispose();
  return result;
}

type Transposed<S> = Beside<S, [Columns<S>, Rows<S>]>;
