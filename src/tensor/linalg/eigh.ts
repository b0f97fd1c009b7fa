import { differentiable, filledLike, reshapeTo, scoped } from "../engine.ts";
import { label, namesOf } from "../names.ts";
import type { Beside, Columns, IfSquare } from "../types/linalg.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../types/tensor.ts";
import { eighKernel } from "./kernels.ts";
import {
  asDiagonal,
  checkSquare,
  inverseGaps,
  namesBeside,
  onBatch,
  partOf,
  plus,
  product,
  productTA,
  productTB,
  symmetricPart,
  times,
} from "./matrices.ts";

/**
 * The eigenvalues of symmetric matrices in ascending order, `values` of `[..., n]`, and the eigenvectors as columns, `vectors` of `[..., n, n]`, in
 * float32 (`torch.linalg.eigh`). Of `[..., n, n]` the lower triangle is read. The signs of the vectors are not determined and may differ between backends;
 * where eigenvalues are equal the gradient of the vectors is NaN or infinite. The gradient is symmetric.
 *
 * @throws ShapeError for matrices that are not square
 */
export function eigh<A extends TensorOperand>(
  a: IfSquare<"eigh", ShapeOf<A>, A>,
): {
  values: Tensor<Beside<ShapeOf<A>, [Columns<ShapeOf<A>>]>, "float32">;
  vectors: Tensor<ShapeOf<A>, "float32">;
};
export function eigh(a: AnyTensor): { values: AnyTensor; vectors: AnyTensor } {
  checkSquare("eigh", a);
  const batch = a.shape.slice(0, -2);
  const n = a.shape.at(-1)!;
  const names = namesOf(a);
  const named = (values: AnyTensor, vectors: AnyTensor) => ({
    values: label(values, namesBeside(a, undefined)),
    vectors: label(vectors, namesBeside(a, names?.at(-2), undefined)),
  });
  if (a.size === 0) return named(filledLike(a, [...batch, n], 0, "float32"), filledLike(a, a.shape, 0, "float32"));
  const joined = onBatch("eigh", a, eigen);
  const result = named(
    scoped("eigh", () => reshapeTo(partOf(joined, 0, [n]), [...batch, n])),
    scoped("eigh", () => reshapeTo(partOf(joined, n, [n, n]), a.shape)),
  );
  joined.dispose();
  return result;
}

function eigen(a: AnyTensor): AnyTensor {
  const n = a.shape[1]!;
  const apart = (joined: AnyTensor) => [partOf(joined, 0, [n]), partOf(joined, n, [n, n])] as const;
  return differentiable("eigh", [a], {
    forward: () => eighKernel(a),
    keep: (value) => [value],
    // Giles 2008, "Collected matrix derivative results", 3.1.
    backward: (dy, [kept]) => [
      () => {
        const [values, vectors] = apart(kept!);
        const [dValues, dVectors] = apart(dy);
        const within = times(productTA(vectors, dVectors), inverseGaps(values));
        const whole = productTB(product(vectors, plus(asDiagonal(dValues), within)), vectors);
        return symmetricPart(whole);
      },
    ],
  });
}
