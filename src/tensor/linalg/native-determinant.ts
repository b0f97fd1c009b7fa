// Determinants by TensorFlow's kernels.
import { sizeOf } from "../../base/shape.ts";
import { float, int, nativeOp, nativeOpOf } from "../../runtime/native/op.ts";
import { cast, reduceOver, reshapeTo, run, scalarOf, scoped } from "../engine.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { minus, pattern, times } from "./matrices.ts";

const factors = nativeOpOf("Lu", 2, { T: float, output_idx_type: int });
const diagonals = nativeOp("MatrixDiagPart", { T: float });
const orthogonal = nativeOpOf("Qr", 2, { T: float, full_matrices: false });
const byLogarithms = nativeOp("MatrixDeterminant", { T: float });

/**
 * The determinants of `[..., n, n]`: the products of the pivots. TensorFlow's own kernel adds the logarithms of the pivots, which
 * loses as many decimal places as their sum has digits before the point.
 */
export function nativeDeterminant(a: AnyTensor): AnyTensor {
  try {
    return scoped("det", () => {
      const [triangles, order] = factors(a) as [AnyTensor, AnyTensor];
      return times(diagonalProduct(triangles), signOf(order));
    });
  } catch (error) {
    if (!/invertible/i.test(String(error))) throw error;
    return determinantOfAny(a);
  }
}

/** Where some matrix is singular: the sign, which is 0 there, times the determinant of R. */
const determinantOfAny = (a: AnyTensor): AnyTensor =>
  scoped("det", () => {
    const [sign, triangles] = [run("Sign", { x: byLogarithms(a) as AnyTensor }), orthogonal(a)[1] as AnyTensor];
    return times(sign, run("Abs", { x: diagonalProduct(triangles) }));
  });

function diagonalProduct(triangles: AnyTensor): AnyTensor {
  const diagonal = diagonals(triangles) as AnyTensor;
  return reduceOver("Prod", diagonal, [diagonal.rank - 1]);
}

/** The signs of permutations `[..., n]`: whether the number of their inversions is even. */
function signOf(order: AnyTensor): AnyTensor {
  const [n, batch] = [order.shape.at(-1)!, order.shape.slice(0, -1)];
  const rows = sizeOf(batch);
  const isAfter = run("Greater", { a: reshapeTo(order, [rows, n, 1]), b: reshapeTo(order, [rows, 1, n]) });
  const isBefore = pattern(n, (i, j) => (i < j ? 1 : 0));
  const inversions = reduceOver("Sum", times(cast(isAfter, "float32"), isBefore), [1, 2]);
  const isOdd = run("Mod", { a: inversions, b: scalarOf(2, "float32") });
  return reshapeTo(minus(scalarOf(1, "float32"), times(isOdd, scalarOf(2, "float32"))), batch);
}
