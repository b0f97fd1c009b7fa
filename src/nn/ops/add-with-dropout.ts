import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { promoted } from "../../runtime/index.ts";
import * as kernels from "../../runtime/native/kernels/index.ts";
import { storageOf } from "../../storage/index.ts";
import {
  checkRate,
  type Dropout,
  keep,
  keepMask,
  keepMaskAgain,
  keepScale,
  maskOfKernel,
} from "../../tensor/dropout-mask.ts";
import { differentiable } from "../../tensor/engine.ts";
import { canFuse } from "../../tensor/fused.ts";
import { add, times } from "../../tensor/primitives.ts";

/**
 * `residual + dropout(x)` as one op, elementwise, for two tensors of one shape. The dropped copy of `x` is not saved for the
 * gradient. Without `options` nothing is dropped.
 *
 * @throws RangeError for a dropout rate outside [0, 1)
 */
export function addWithDropout<T extends Tensor>(residual: T, x: T, options: Dropout | undefined): T {
  checkRate("addWithDropout", options?.rate ?? 0);
  const active = options && options.rate > 0 ? options : undefined;
  return differentiable("addWithDropout", [residual, x], {
    forward: (save) => {
      if (!active) return add(residual, x);
      if (canFuse("any", residual, x) && promoted(storageOf(residual), storageOf(x)) === storageOf(residual))
        return kernels.dropoutAndAdd(x, residual, maskOfKernel(active)!);
      const mask = keepMask(x.shape, active);
      save([mask]);
      return add(residual, keepScaled(x, mask, active));
    },
    backward: (dy, [mask]) => [
      () => dy,
      () => {
        if (!active) return dy;
        if (!mask && canFuse("any", dy)) return kernels.dropout(dy, maskOfKernel(active)!);
        return keepScaled(dy, mask ?? keepMaskAgain(x.shape, active), active);
      },
    ],
  }) as T;
}

function keepScaled(x: Tensor, mask: Tensor, options: Dropout): Tensor {
  const kept = keep(x, mask);
  const scaled = times(kept, keepScale(options));
  kept.dispose();
  return scaled;
}
