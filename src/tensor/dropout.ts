import * as kernels from "../runtime/native/kernels/index.ts";
import { checkRate, type Dropout, keep, keepMask, keepMaskAgain, keepScale, maskOfKernel } from "./dropout-mask.ts";
import { cast, checkTensor, differentiable, run, scoped } from "./engine.ts";
import { canFuse } from "./fused.ts";
import { asStored, toFloat32 } from "./half.ts";
import { label, namesOf } from "./names.ts";
import { times } from "./primitives.ts";
import { drawSeed, type RandomOptions } from "./random.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * Sets each element to 0 with probability `rate`, rounded to 1/65536, and divides the others by `1 - rate`, elementwise
 * (Srivastava et al. 2014). The mask depends on two words of the seeded generator. A rate of 0 changes nothing.
 *
 * @throws RangeError for a rate outside [0, 1); TypeError when `from` is neither a seed nor a generator
 */
export function dropout<T extends TensorOperand>(
  x: T,
  rate: number,
  options?: RandomOptions,
): Tensor<ShapeOf<T>, "float32">;
export function dropout(x: AnyTensor, rate: number, options?: RandomOptions): AnyTensor {
  checkTensor("dropout", x);
  checkRate("dropout", rate);
  if (rate === 0) return label(run("Identity", { x }), namesOf(x));
  const seed = drawSeed(options);
  return label(
    scoped("dropout", () => seededDropout(cast(x, "float32"), { rate, seed })),
    namesOf(x),
  );
}

/**
 * Dropout with a seed pair; `x` itself without one. Saves nothing for the gradient where a kernel draws the mask again, else one
 * byte per element.
 */
export function seededDropout<T extends AnyTensor>(x: T, options: Dropout | undefined): T {
  if (!options || options.rate === 0) return x;
  const kept = (values: AnyTensor, mask: AnyTensor) => times(keep(toFloat32(values), mask), keepScale(options));
  return differentiable("dropout", [x], {
    forward: (save) => {
      if (canFuse("any", x)) return kernels.dropout(x, maskOfKernel(options)!) as AnyTensor;
      const mask = keepMask(x.shape, options);
      save([mask]);
      return asStored(kept(x, mask), x);
    },
    backward: (dy, [mask]) => [
      () =>
        !mask && canFuse("any", dy)
          ? (kernels.dropout(dy, maskOfKernel(options)!) as AnyTensor)
          : kept(dy, mask ?? keepMaskAgain(x.shape, options)),
    ],
  }) as T;
}
