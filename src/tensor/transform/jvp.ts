// Directional derivatives and products with the transposed Jacobian.
import { observed, replayed } from "../../random/index.ts";
import { extendReach, tf } from "../../runtime/index.ts";
import { run, scalarOf, scoped } from "../engine.ts";
import { differentiate } from "../tape.ts";
import { differentiableLeaves, type Gradients } from "../tree.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { floatLeaves, gradientTree, innerProduct, matchingLeaves, oneNumber } from "./pull.ts";

/**
 * The value of `f` at `primals` and its derivative in the direction of `tangents` (JAX's `jvp`, `torch.func.jvp`). Both are lists
 * with a tree of float32 tensors, of any shape, for each argument of `f`; the tangent has the structure of the value. It is the
 * gradient of the gradient, so every op must have a second derivative.
 *
 * @throws ShapeError when a tangent has another shape than its primal; TypeError when the structures differ, or a tensor is not
 *   float32; Error, with the op's name, for an op without a second derivative
 */
export function jvp<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: A,
  tangents: Gradients<A>,
): { value: R; tangent: Gradients<R> } {
  const found = differentiableLeaves("jvp", primals);
  const directions = matchingLeaves("jvp", "the tangents", tangents, found, "the primals");
  const xs = found.map(({ tensor }) => tensor);
  // The derivative of <J'u, v> by u is Jv. It does not depend on u, which has the structure of the value.
  const duals: AnyTensor[] = [];
  try {
    const { value, aux, gradients } = differentiate(() => {
      const inner = differentiate(() => {
        const result = f(...primals);
        const outputs = floatLeaves("jvp", "the result", result).map(({ tensor }) => tensor);
        for (const x of outputs) duals.push(tf.keep(run("ZerosLike", { x })));
        extendReach(duals);
        return [innerProduct(outputs, duals)!, result];
      }, xs);
      return [along(inner.gradients, directions), inner.aux];
    }, duals);
    value.dispose();
    const tangent = gradientTree(aux, floatLeaves("jvp", "the result", aux), gradients);
    return { value: aux, tangent: tangent as Gradients<R> };
  } finally {
    for (const dual of duals) dual.dispose();
  }
}

/** The value of a function, and its pullback: from the cotangent of the value to the gradient of each argument. */
export interface Vjp<A, R> {
  value: R;
  /** May be called any number of times; each call runs the function and its backward pass. */
  pullback: (cotangent: Gradients<R>) => Gradients<A>;
}

/**
 * The value of `f`, and a function from a cotangent in the structure of the value to the products of the cotangent with the
 * Jacobians of each argument, in the structure of the arguments (JAX's `vjp`, `torch.func.vjp`). Arguments and results are trees of
 * float32 tensors of any shape. Each call of the pullback runs `f` again, with the same random numbers.
 *
 * @throws TypeError when an argument or the value has no tensor or one that is not float32; the pullback throws ShapeError for a
 *   cotangent of another shape than the value
 */
export function vjp<A extends readonly unknown[], R>(f: (...args: A) => R, ...primals: A): Vjp<A, R> {
  const found = differentiableLeaves("vjp", primals);
  const { result: value, states } = observed(() => scoped("vjp", (() => f(...primals)) as never) as R);
  floatLeaves("vjp", "the result", value);
  const pullback = (cotangent: Gradients<R>) => {
    const { value: product, gradients } = differentiate(
      () => {
        const outputs = floatLeaves(
          "vjp",
          "the result",
          replayed(states, () => f(...primals)),
        );
        const given = matchingLeaves("vjp", "the cotangent", cotangent, outputs, "the value");
        return [
          innerProduct(
            outputs.map(({ tensor }) => tensor),
            given,
          )!,
          undefined,
        ];
      },
      found.map(({ tensor }) => tensor),
    );
    product.dispose();
    return gradientTree(primals, found, gradients) as Gradients<A>;
  };
  return { value, pullback };
}

/**
 * The product of the Hessian of `f` at `x` with a vector, without the Hessian itself (Pearlmutter 1994). `f` gives a scalar; `x`, a
 * tree of float32 tensors of any shape, and `v` have the structure and shapes of the result.
 *
 * @throws ShapeError when `v` has another shape than `x`, or the value is not a scalar; TypeError when the structures differ, or
 *   a tensor is not float32
 */
export function hvp<P, Rest extends unknown[]>(
  f: (x: P, ...rest: Rest) => AnyTensor,
  x: P,
  v: Gradients<P>,
  ...rest: Rest
): Gradients<P> {
  const found = differentiableLeaves("hvp", x);
  const vector = matchingLeaves("hvp", "v", v, found, "x");
  const xs = found.map(({ tensor }) => tensor);
  const { value, gradients } = differentiate(() => {
    const inner = differentiate(() => [oneNumber("hvp", f(x, ...rest)), undefined], xs);
    return [along(inner.gradients, vector), undefined];
  }, xs);
  value.dispose();
  return gradientTree(x, found, gradients) as Gradients<P>;
}

/** The inner product of gradients, of which some may be missing, with vectors. */
function along(gradients: readonly (AnyTensor | undefined)[], vectors: readonly AnyTensor[]): AnyTensor {
  const found = gradients.filter((gradient) => gradient !== undefined);
  const product = innerProduct(
    found,
    vectors.filter((_, i) => gradients[i] !== undefined),
  );
  return product ?? scalarOf(0, "float32");
}
