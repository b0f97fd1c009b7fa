// Activation functions that are a line of others (torch.nn.functional).
import { type Arithmetic, add, div, greater, mul } from "./arithmetic.ts";
import { clip, expm1, neg, softplus, tanh } from "./elementwise.ts";
import { cast, checkTensor, scoped } from "./engine.ts";
import { inFloat32 } from "./half.ts";
import { label, namesOf } from "./names.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";
import { where } from "./where.ts";

function activation(op: string, x: AnyTensor, f: (x: AnyTensor) => AnyTensor): AnyTensor {
  checkTensor(op, x);
  // As PyTorch's kernels, of a half they compute in float32 and round once.
  const compute = (given: AnyTensor) => scoped(op, () => f(cast(given, "float32")));
  return label(inFloat32(op, "unlisted", [x], compute), namesOf(x));
}

/** `x` above 0, `alpha * (exp(x) - 1)` below. The exponential of what is above is not computed: its gradient overflows. */
function exponentialBelow(x: AnyTensor, alpha: number): AnyTensor {
  const isAbove = greater(x, 0);
  return where(isAbove, x, mul(expm1(where(isAbove, 0, x)), alpha));
}

/** The exponential linear unit, elementwise: `x` above 0, `alpha * (exp(x) - 1)` below (Clevert et al. 2015). `alpha` is 1 by default. */
export function elu<T extends TensorOperand>(x: T, alpha?: number): Tensor<ShapeOf<T>, "float32">;
export function elu(x: AnyTensor, alpha = 1): AnyTensor {
  return activation("elu", x, (given) => exponentialBelow(given, alpha));
}

const [SELU_ALPHA, SELU_SCALE] = [1.6732632423543772, 1.0507009873554805];
/** The scaled exponential linear unit, elementwise: `elu(x, 1.67326) * 1.0507` (Klambauer et al. 2017). */
export function selu<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, "float32">;
export function selu(x: AnyTensor): AnyTensor {
  return activation("selu", x, (given) => mul(exponentialBelow(given, SELU_ALPHA), SELU_SCALE));
}

/** The mish function, elementwise: `x * tanh(softplus(x))` (Misra 2019). */
export function mish<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, "float32">;
export function mish(x: AnyTensor): AnyTensor {
  return activation("mish", x, (given) => mul(given, tanh(softplus(given))));
}

/** The logarithm of the sigmoid, elementwise: `-softplus(-x)`, without overflow. */
export function logSigmoid<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, "float32">;
export function logSigmoid(x: AnyTensor): AnyTensor {
  return activation("logSigmoid", x, (given) => neg(softplus(neg(given))));
}

/** The straight sigmoid, elementwise: `clip(x / 6 + 1 / 2, 0, 1)` (`torch.nn.functional.hardsigmoid`). */
export function hardsigmoid<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, "float32">;
export function hardsigmoid(x: AnyTensor): AnyTensor {
  return activation("hardsigmoid", x, straightSigmoid);
}

const straightSigmoid = (x: AnyTensor): AnyTensor => div(clip(add(x, 3), 0, 6), 6);

/** The hard swish, elementwise: `x * hardsigmoid(x)` (Howard et al. 2019). */
export function hardswish<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, "float32">;
export function hardswish(x: AnyTensor): AnyTensor {
  return activation("hardswish", x, (given) => mul(given, straightSigmoid(given)));
}

/**
 * The parametric rectified linear unit, elementwise, broadcasts: `x` above 0, `slope * x` below, with a learnt slope (He et al. 2015). The slope has the
 * size of the last axis, or is a scalar.
 *
 * @throws ShapeError when the shapes do not broadcast
 */
export const prelu = ((x: AnyTensor, slope: AnyTensor): AnyTensor => {
  checkTensor("prelu", x);
  const input = cast(x, "float32");
  return where(greater(input, 0), input, mul(input, slope));
}) as Arithmetic<"prelu", "float32">;
