import { nativeStorageOf } from "../runtime/index.ts";
import { hasKernels } from "../runtime/native/kernels/index.ts";
import { isDirect } from "./primitives.ts";
import type { AnyTensor } from "./types/tensor.ts";

/**
 * May a kernel of `runtime/native/kernels` be called for these tensors? Where a second derivative is asked for, inside of vmap, on
 * other backends and for float64, the separate ops compute the same.
 */
export const canFuse = (...inputs: AnyTensor[]): boolean => hasKernels() && isDirect() && inputs.every(isFusable);

function isFusable(x: AnyTensor): boolean {
  if (x.dtype !== "float32") return false;
  const storage = nativeStorageOf(x);
  return storage !== undefined && storage !== "float64";
}
