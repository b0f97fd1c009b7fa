import { autocastType } from "../amp/index.ts";
import * as kernels from "../runtime/native/kernels/index.ts";
import { logSoftmax as nativeLogSoftmax } from "../runtime/native/primitives.ts";
import { storageOf } from "../storage/index.ts";
import { axisIndex } from "./axes.ts";
import { cast, checkTensor, differentiable, permuteTo, reduceOver, run, scoped } from "./engine.ts";
import { canFuse, mayFuse } from "./fused.ts";
import { inFloat32 } from "./half.ts";
import { label, namesOf } from "./names.ts";
import { exp, isDirect, multiply, subtract, sumOfRows } from "./primitives.ts";
import type { Axis, AxisOf } from "./types/axis.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** Runs `f` with one axis moved to the end, and moves it back. */
function onLast(op: string, x: AnyTensor, axis: Axis, f: (moved: AnyTensor) => AnyTensor): AnyTensor {
  checkTensor(op, x);
  const place = axisIndex(op, x, axis);
  const compute = (given: AnyTensor) =>
    scoped(op, () => {
      const input = cast(given, "float32");
      if (place === x.rank - 1) return f(input);
      const last = [...x.shape.keys()].filter((i) => i !== place).concat(place);
      return permuteTo(
        f(permuteTo(input, last)),
        last.map((_, i) => last.indexOf(i)),
      );
    });
  // A kernel reads halves as they are; under autocast the result is float32.
  const result = mayFuse("any", x) && !autocastType() ? compute(x) : inFloat32(op, "float32", [x], compute);
  return label(result, namesOf(x));
}

/**
 * The softmax along one axis, the last by default: `exp(x) / sum(exp(x))`, in the shape of `x` (`[..., classes]`).
 *
 * @throws ShapeError for an unknown axis
 */
export function softmax<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  axis?: AxisOf<"softmax", ShapeOf<T>, A>,
): Tensor<ShapeOf<T>, "float32">;
export function softmax(x: AnyTensor, axis: Axis = -1): AnyTensor {
  return onLast("softmax", x, axis, lastSoftmax);
}

/**
 * The logarithm of the softmax along one axis, the last by default, without overflow, in the shape of `x` (`[..., classes]`).
 *
 * @throws ShapeError for an unknown axis
 */
export function logSoftmax<T extends TensorOperand, const A extends Axis = -1>(
  x: T,
  axis?: AxisOf<"logSoftmax", ShapeOf<T>, A>,
): Tensor<ShapeOf<T>, "float32">;
export function logSoftmax(x: AnyTensor, axis: Axis = -1): AnyTensor {
  return onLast("logSoftmax", x, axis, lastLogSoftmax);
}

/** Over the last axis; by kernels in the storage of `x`. */
const lastSoftmax = (x: AnyTensor): AnyTensor =>
  differentiable("softmax", [x], {
    forward: () =>
      canFuse("any", x) ? (kernels.softmax(x, false) as AnyTensor) : run("Softmax", { logits: x }, { dim: x.rank - 1 }),
    keep: (value) => [value],
    backward: (dy, [value]) => [
      () =>
        isFusedGradient(dy, value!)
          ? (kernels.softmaxGradient(dy, value!, false) as AnyTensor)
          : multiply(subtract(dy, sumOfRows(multiply(dy, value!))), value!),
    ],
  });

const isFusedGradient = (dy: AnyTensor, value: AnyTensor): boolean =>
  canFuse("any", dy, value) && storageOf(dy) === storageOf(value);

export function lastLogSoftmax(x: AnyTensor): AnyTensor {
  return differentiable("logSoftmax", [x], {
    forward: () => {
      if (canFuse("any", x)) return kernels.softmax(x, true) as AnyTensor;
      // tfjs composes five kernels; TensorFlow has one for this.
      if (isDirect()) return nativeLogSoftmax(x);
      const off = subtract(x, reduceOver("Max", x, [x.rank - 1], true));
      return subtract(off, run("Log", { x: sumOfRows(exp(off)) }));
    },
    keep: (value) => [value],
    backward: (dy, [value]) => [
      () =>
        isFusedGradient(dy, value!)
          ? (kernels.softmaxGradient(dy, value!, true) as AnyTensor)
          : subtract(dy, multiply(exp(value!), sumOfRows(dy))),
    ],
  });
}
