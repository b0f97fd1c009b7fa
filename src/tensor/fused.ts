import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { isNative, nativeStorageOf } from "../runtime/index.ts";
import { isBatching } from "../runtime/levels.ts";
import { hasKernels } from "../runtime/native/kernels/index.ts";
import { isDirect } from "./primitives.ts";

/**
 * May a kernel of `runtime/native/kernels` be called for these tensors, which have this storage, or "any" of those that kernels
 * take? Where a second derivative is asked for, inside of vmap, on other backends and for float64, the separate ops compute the same.
 */
export const canFuse = (storage: "float32" | "any", ...inputs: readonly Tensor[]): boolean =>
  isDirect() && mayFuse(storage, ...inputs);

/** The same for the forward pass of an op that has its own gradient and is not recorded itself. */
export const mayFuse = (storage: "float32" | "any", ...inputs: readonly Tensor[]): boolean =>
  hasKernels() && isNative() && !isBatching() && inputs.every((x) => isFusable(x, storage));

function isFusable(x: Tensor, storage: "float32" | "any"): boolean {
  if (x.dtype !== "float32") return false;
  const own = nativeStorageOf(x);
  return storage === "any" ? own !== undefined && own !== "float64" : own === storage;
}
