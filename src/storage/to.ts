import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import {
  checkStorage,
  engine,
  isNative,
  nativeCast,
  nativeStorageOf,
  type Storage,
  uninterrupted,
} from "../runtime/index.ts";
import { throughLevels } from "../runtime/levels.ts";
import { emulatedCast, emulatedStorageOf } from "./emulated.ts";

/** The storage type of the numbers of a tensor of any shape; "float32" unless it was made with another one. */
export function storageOf(x: TensorInfo): Storage {
  return nativeStorageOf(x) ?? emulatedStorageOf(x);
}

/**
 * Stores a tensor as another floating-point type, elementwise, rounding to the nearest with ties to even; gives the tensor
 * itself where it has that type. The gradient is cast back to the storage type of `x`.
 *
 * The tfjs dtype stays "float32", and `dataSync` gives float32 numbers.
 *
 * @throws TypeError for a tensor of strings or complex numbers, or an unknown storage type
 * @throws Error for a disposed tensor
 */
export function to<T extends Tensor>(x: T, storage: Storage): T {
  checkStorage(storage);
  if (x.dtype === "string" || x.dtype === "complex64") {
    throw new TypeError(`to: a ${x.dtype} tensor cannot be stored as ${storage}`);
  }
  if (x.isDisposed) throw new Error(`to: the input (shape [${x.shape.join(", ")}]) has already been disposed.`);
  if (x.dtype === "float32" && storageOf(x) === storage) return x;
  const castAll = (all: Tensor) => (isNative() ? nativeCast(all, storage) : emulatedCast(all, storage));
  const cast = () => uninterrupted(() => throughLevels(x, castAll));
  if (!engine.isTapeOn()) return cast() as T;
  return engine.runKernelFunc({
    forwardFunc: cast,
    backwardsFunc: (dy) => ({ x: () => dy }),
    inputs: { x },
  }) as T;
}
