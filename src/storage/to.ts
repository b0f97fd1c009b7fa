import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import {
  checkStorage,
  isNative,
  nativeCast,
  nativeStorageOf,
  type Storage,
  tf,
  uninterrupted,
} from "../runtime/index.ts";
import { emulatedCast, emulatedStorageOf } from "./emulated.ts";

interface Engine {
  isTapeOn(): boolean;
  runKernelFunc(call: {
    forwardFunc: () => Tensor;
    backwardsFunc: (dy: Tensor) => Record<string, () => Tensor>;
    inputs: Record<string, Tensor>;
  }): Tensor;
}

const engine = tf.engine() as unknown as Engine;

/** What the numbers of a tensor are stored as; "float32" for every tensor that was not made otherwise. */
export function storageOf(x: TensorInfo): Storage {
  return nativeStorageOf(x) ?? emulatedStorageOf(x);
}

/**
 * The tensor with its numbers stored as another floating-point type; itself where they are already. Rounds to the
 * nearest, ties to even. Gradients pass, cast back to the storage of `x`.
 *
 * The tfjs dtype is "float32" throughout, and reading gives float32 numbers.
 * @throws TypeError for a tensor that holds no numbers, or a name that is no storage type
 */
export function to<T extends Tensor>(x: T, storage: Storage): T {
  checkStorage(storage);
  if (x.dtype === "string" || x.dtype === "complex64") {
    throw new TypeError(`to: a ${x.dtype} tensor cannot be stored as ${storage}`);
  }
  if (x.isDisposed) throw new Error(`to: the tensor [${x.shape}] was disposed before this use`);
  if (x.dtype === "float32" && storageOf(x) === storage) return x;
  const cast = () => uninterrupted(() => (isNative() ? nativeCast(x, storage) : emulatedCast(x, storage)));
  if (!engine.isTapeOn()) return cast() as T;
  return engine.runKernelFunc({
    forwardFunc: cast,
    backwardsFunc: (dy) => ({ x: () => dy }),
    inputs: { x },
  }) as T;
}
