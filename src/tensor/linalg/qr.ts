import { differentiable, filledLike, reshapeTo, run, scoped } from "../engine.ts";
import { label, namesOf } from "../names.ts";
import type { Beside, Columns, Rows, Smaller } from "../types/linalg.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../types/tensor.ts";
import { qrKernel } from "./kernels.ts";
import {
  checkMatrix,
  minus,
  namesBeside,
  onBatch,
  partOf,
  pattern,
  plus,
  product,
  productTA,
  productTB,
  times,
  turned,
} from "./matrices.ts";
import { triangular } from "./solve.ts";

/**
 * The matrices A as Q R, in float32: of `[..., m, n]`, `q` of `[..., m, k]` has orthonormal columns and `r` of `[..., k, n]` is an upper triangle, where k is
 * the smaller of m and n (`torch.linalg.qr`, reduced). The signs of the columns of Q are not determined and may differ between backends. The gradient
 * needs the first k columns of A to be linearly independent.
 *
 * @throws ShapeError for fewer than two axes
 */
export function qr<A extends TensorOperand>(
  a: A,
): {
  q: Tensor<Beside<ShapeOf<A>, [Rows<ShapeOf<A>>, Smaller<ShapeOf<A>>]>, "float32">;
  r: Tensor<Beside<ShapeOf<A>, [Smaller<ShapeOf<A>>, Columns<ShapeOf<A>>]>, "float32">;
};
export function qr(a: AnyTensor): { q: AnyTensor; r: AnyTensor } {
  checkMatrix("qr", a);
  const batch = a.shape.slice(0, -2);
  const [m, n] = [a.shape[a.rank - 2]!, a.shape[a.rank - 1]!];
  const k = Math.min(m, n);
  const [qShape, rShape] = [
    [...batch, m, k],
    [...batch, k, n],
  ];
  const names = namesOf(a);
  const named = (q: AnyTensor, r: AnyTensor) => ({
    q: label(q, namesBeside(a, names?.at(-2), undefined)),
    r: label(r, namesBeside(a, undefined, names?.at(-1))),
  });
  if (a.size === 0) return named(filledLike(a, qShape, 0, "float32"), filledLike(a, rShape, 0, "float32"));
  const joined = onBatch("qr", a, factors);
  const result = named(
    scoped("qr", () => reshapeTo(partOf(joined, 0, [m, k]), qShape)),
    scoped("qr", () => reshapeTo(partOf(joined, m * k, [k, n]), rShape)),
  );
  joined.dispose();
  return result;
}

function factors(a: AnyTensor): AnyTensor {
  const [, m, n] = a.shape as [number, number, number];
  const k = Math.min(m, n);
  const apart = (joined: AnyTensor) => [partOf(joined, 0, [m, k]), partOf(joined, m * k, [k, n])] as const;
  return differentiable("qr", [a], {
    forward: () => qrKernel(a),
    keep: (value) => [a, value],
    backward: (dy, [matrix, value]) => [
      () => {
        const [q, r] = apart(value!);
        const [dq, dr] = apart(dy);
        if (m >= n) return tallGradient(q, r, dq, dr);
        // A = [X, Y] and R = [U, V] with X = Q U and V = Q^T Y.
        const columns = (x: AnyTensor, from: number, to: number) =>
          run("Slice", { x }, { begin: [0, 0, from], size: [x.shape[0]!, x.shape[1]!, to - from] });
        const [u, du, dv] = [columns(r, 0, m), columns(dr, 0, m), columns(dr, m, n)];
        const dx = tallGradient(q, u, plus(dq, productTB(columns(matrix!, m, n), dv)), du);
        return run("Concat", [dx, product(q, dv)] as unknown as Record<string, AnyTensor>, { axis: 2 });
      },
    ],
  });
}

/** Of m at least n: Walter and Lehmann 2010, "Algorithmic differentiation of linear algebra functions", 3.3. */
function tallGradient(q: AnyTensor, r: AnyTensor, dq: AnyTensor, dr: AnyTensor): AnyTensor {
  const across = productTA(q, dq);
  const own = productTB(r, dr);
  const skew = plus(minus(across, turned(across)), minus(own, turned(own)));
  const lower = times(
    skew,
    pattern(r.shape[2]!, (i, j) => (i >= j ? 1 : 0)),
  );
  /** X R^-T. */
  const divided = (x: AnyTensor) => turned(triangular(r, turned(x), false, false));
  return plus(product(q, plus(dr, divided(lower))), divided(minus(dq, product(q, across))));
}
