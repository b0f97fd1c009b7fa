import { axisIndex } from "./axes.ts";
import { cast, checkTensor, differentiable, permuteTo, run, scoped } from "./engine.ts";
import { lastPlace } from "./indices.ts";
import { checkTotals } from "./int32.ts";
import { label, namesOf } from "./names.ts";
import { type Whole, whole } from "./reductions.ts";
import type { Axis, AxisOf } from "./types/axis.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * The cumulative product along one axis, the last by default, in the shape of `x` (any shape of at least one axis). The gradient divides by no
 * element, so that zeros have theirs.
 *
 * @throws RangeError for an int32 product outside int32; ShapeError for an unknown axis
 */
export function cumprod<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  axis?: AxisOf<"cumprod", ShapeOf<T>, A>,
): Tensor<ShapeOf<T>, Whole<DTypeOf<T>>>;
export function cumprod(x: AnyTensor, axis: Axis = -1): AnyTensor {
  checkTensor("cumprod", x);
  const place = axisIndex("cumprod", x, axis);
  checkTotals("cumprod", x, [place], { kind: "prod", isRunning: true });
  const result = scoped("cumprod", () => {
    const { last, back } = lastPlace(x.rank, place);
    return permuteTo(running(permuteTo(cast(x, whole(x.dtype as DType)), last), false), back);
  });
  return label(result, namesOf(x));
}

/** The products of the elements before each of the last axis and, unless exclusive, of itself. */
function running(x: AnyTensor, exclusive: boolean): AnyTensor {
  const length = x.shape.at(-1)!;
  return differentiable("cumprod", [x], {
    forward: () =>
      x.size === 0 ? run("Identity", { x }) : run("Cumprod", { x }, { axis: x.rank - 1, exclusive, reverse: false }),
    keep: () => [x],
    backward: (dy, [kept]) => [
      () => {
        if (x.size === 0) return dy;
        // S[i] = dy[i] + x[i + 1] S[i + 1]: the sum of what element i is a factor of, without what comes before it.
        const terms = exclusive ? joined([part(dy, 1, length), run("ZerosLike", { x: part(dy, 0, 1) })]) : dy;
        return run("Multiply", { a: running(kept!, true), b: recurrence(terms, part(kept!, 1, length)) });
      },
    ],
  });
}

/** S[i] = b[i] + a[i] S[i + 1] from the end of the last axis, which is one longer for b, in a logarithm of its steps. */
function recurrence(b: AnyTensor, a: AnyTensor): AnyTensor {
  const length = b.shape.at(-1)!;
  let [sums, factors] = [b, a];
  for (let step = 1; step < length; step *= 2) {
    const left = length - step;
    const product = run("Multiply", { a: part(factors, 0, left), b: part(sums, step, length) });
    sums = joined([run("Add", { a: part(sums, 0, left), b: product }), part(sums, left, length)]);
    if (2 * step < length)
      factors = run("Multiply", { a: part(factors, 0, left - step), b: part(factors, step, left) });
  }
  return sums;
}

function part(x: AnyTensor, from: number, to: number): AnyTensor {
  const begin = x.shape.map((_, i) => (i === x.rank - 1 ? from : 0));
  return run("Slice", { x }, { begin, size: [...x.shape.slice(0, -1), to - from] });
}

const joined = (parts: AnyTensor[]): AnyTensor =>
  run("Concat", parts as unknown as Record<string, AnyTensor>, { axis: parts[0]!.rank - 1 });
