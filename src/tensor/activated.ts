import * as kernels from "../runtime/native/kernels/index.ts";
import { storageOf } from "../storage/index.ts";
import type { Curve } from "./curves.ts";
import { seededDropout } from "./dropout.ts";
import { type Dropout, keep, keepMaskAgain, keepScale, maskOfKernel } from "./dropout-mask.ts";
import { cast, checkTensor, differentiable, drop } from "./engine.ts";
import { canFuse, mayFuse } from "./fused.ts";
import { asStored, toFloat32 } from "./half.ts";
import { label, namesOf } from "./names.ts";
import { multiply, times } from "./primitives.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** An activation of a tensor of any dtype, as float32. */
export function activation(op: string, x: AnyTensor, curve: Curve): AnyTensor {
  checkTensor(op, x);
  const input = cast(x, "float32");
  const result = activated(op, input, curve);
  drop(input, x);
  return label(result, namesOf(x));
}

/**
 * An activation of floats, and dropout of its result, elementwise. Halves are kept as they are and computed with in float32, as in PyTorch's
 * kernels. Only `x` is saved for the gradient.
 */
export function activated(op: string, x: AnyTensor, curve: Curve, dropout?: Dropout): AnyTensor {
  if (dropout && !(dropout.rate > 0 && mayFuse("any", x))) return seededDropout(activated(op, x, curve), dropout);
  const mask = maskOfKernel(dropout);
  const dropped = (values: AnyTensor) =>
    dropout ? times(keep(values, keepMaskAgain(x.shape, dropout)), keepScale(dropout)) : values;
  return differentiable(op, [x], {
    forward: () =>
      canFuse("any", x)
        ? (kernels.activation(x, curve.name, { mask }) as AnyTensor)
        : asStored(dropped(curve.value(toFloat32(x))), x),
    keep: () => [x],
    backward: (dy, [kept]) => [
      () =>
        canFuse("any", dy, kept!) && storageOf(dy) === storageOf(kept!)
          ? (kernels.activationGradient(dy, kept!, curve.name, mask) as AnyTensor)
          : multiply(dropped(toFloat32(dy)), curve.derivative(toFloat32(kept!))),
    ],
  });
}
