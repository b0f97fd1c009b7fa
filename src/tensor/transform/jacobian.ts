// Whole matrices of first and second derivatives, by one batched backward pass.
import { tf } from "../../runtime/index.ts";
import { within } from "../../runtime/levels.ts";
import { reshapeTo, run, scoped } from "../engine.ts";
import { gradAs } from "../grad.ts";
import { differentiate } from "../tape.ts";
import { differentiableLeaves, mapTree } from "../tree.ts";
import type { AnyTensor, TensorOperand } from "../types/tensor.ts";
import { enter, leave } from "../vmap/enter.ts";
import { openLevel } from "../vmap/intercept.ts";
import { floatLeaves, innerProduct } from "./pull.ts";
import type { Jacobian } from "./types.ts";

/**
 * A function that gives the Jacobian of `f` with respect to its first argument (JAX's `jacrev`): for a result `[...out]` and an
 * argument `[...in]` a tensor `[...out, ...in]`. For trees of float32 tensors it is a tree in the structure of the result, with a
 * tree in the structure of the argument for each tensor. One backward pass runs for all elements of the result as a batch.
 *
 * @throws TypeError when the argument or the result has no tensor or one that is not float32
 */
export function jacobian<P, R, Rest extends unknown[]>(
  f: (x: P, ...rest: Rest) => R,
): (x: P, ...rest: Rest) => Jacobian<R, P> {
  return jacobianAs("jacobian", f);
}

/** `jacobian` for the function `op`, which its errors name. */
function jacobianAs<P, R, Rest extends unknown[]>(
  op: string,
  f: (x: P, ...rest: Rest) => R,
): (x: P, ...rest: Rest) => Jacobian<R, P> {
  return (x, ...rest) => {
    const found = differentiableLeaves(op, x);
    const jacobians = scoped(op, (() => {
      // Its size is that of the result, before which no tensor is of the level.
      const level = openLevel(0, "same");
      const { aux, gradients } = within([level], () =>
        differentiate(
          () => {
            const result = f(x, ...rest);
            const outputs = floatLeaves(op, "the result", result).map(({ tensor }) => tensor);
            level.size = outputs.reduce((n, { size }) => n + size, 0);
            const basis = basisOf(outputs).map((rows) => enter(rows, level));
            return [innerProduct(outputs, basis)!, result];
          },
          found.map(({ tensor }) => tensor),
        ),
      );
      const rows = gradients.map((gradient, i) => {
        const { tensor } = found[i]!;
        return gradient ? leave(gradient, level) : tf.zeros([level.size, ...tensor.shape]);
      });
      return byResult(aux, x, rows);
    }) as never);
    return jacobians as Jacobian<R, P>;
  };
}

/** The rows of the identity matrix of all elements of some tensors, cut into parts in their shapes. */
function basisOf(outputs: readonly AnyTensor[]): AnyTensor[] {
  const total = outputs.reduce((n, { size }) => n + size, 0);
  let before = 0;
  return outputs.map(({ size, shape }) => {
    const values = new Float32Array(total * size);
    for (let i = 0; i < size; i++) values[(before + i) * size + i] = 1;
    before += size;
    return tf.tensor(values, [total, ...shape]);
  });
}

/** Cuts the rows of all elements of the result into one tensor for each pair of a result and an argument. */
function byResult(result: unknown, x: unknown, rows: readonly AnyTensor[]): unknown {
  let before = 0;
  return mapTree(result, ({ size, shape }) => {
    const first = before;
    before += size;
    let i = 0;
    return mapTree(x, (argument) => {
      const all = rows[i++]!;
      const own =
        size === all.shape[0]
          ? all
          : run(
              "Slice",
              { x: all },
              { begin: [first, ...argument.shape.map(() => 0)], size: [size, ...argument.shape] },
            );
      return reshapeTo(own, [...shape, ...argument.shape]);
    });
  });
}

/**
 * A function that gives the matrix of second derivatives of `f`, which returns a scalar, with respect to its first argument (JAX's
 * `hessian`): for an argument `[...in]` a tensor `[...in, ...in]`. For a tree of float32 tensors it is a tree of trees.
 *
 * @throws TypeError and ShapeError as `grad`; Error, with the op's name, for an op without a second derivative
 */
export function hessian<P, Rest extends unknown[]>(
  f: (x: P, ...rest: Rest) => TensorOperand,
): (x: P, ...rest: Rest) => Jacobian<P, P> {
  return jacobianAs("hessian", gradAs("hessian", f)) as never;
}
