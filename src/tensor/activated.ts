import * as kernels from "../runtime/native/kernels/index.ts";
import { storageOf } from "../storage/index.ts";
import type { Curve } from "./curves.ts";
import { seededDropout } from "./dropout.ts";
import { type Dropout, keep, keepMaskAgain, keepScale, maskOfKernel } from "./dropout-mask.ts";
import { differentiable } from "./engine.ts";
import { canFuse, mayFuse } from "./fused.ts";
import { asStored, toFloat32 } from "./half.ts";
import { multiply, times } from "./primitives.ts";
import type { AnyTensor } from "./types/tensor.ts";

/**
 * An activation, and dropout of its result, elementwise. Halves are kept as they are and computed with in float32, as in PyTorch's
 * kernels. Only `x` is saved for the gradient.
 */
export function activated(op: string, x: AnyTensor, curve: Curve, drop?: Dropout): AnyTensor {
  if (drop && !(drop.rate > 0 && mayFuse("any", x))) return seededDropout(activated(op, x, curve), drop);
  const mask = maskOfKernel(drop);
  const dropped = (values: AnyTensor) =>
    drop ? times(keep(values, keepMaskAgain(x.shape, drop)), keepScale(drop)) : values;
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
