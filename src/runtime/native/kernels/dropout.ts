import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { uploaded } from "../capture/step-inputs.ts";
import { runKernel, storageIn } from "./run-kernel.ts";

/** What decides which elements are kept, as `keepMask` does. */
export interface DropoutMask {
  seed: readonly [number, number];
  /** Of 65536 equal elements. */
  dropped: number;
  /** The factor of those that are kept. */
  scale: number;
}

/** Runs `f` with a seed on the device. */
export function withSeed<T>({ seed }: Pick<DropoutMask, "seed">, f: (seed: Tensor) => T): T {
  const words = uploaded(seed, [2], "int32");
  try {
    return f(words);
  } finally {
    words.dispose();
  }
}

/** The attributes of a mask, or of none. */
export const maskAttributes = (mask: DropoutMask | undefined) => ({
  dropped: mask?.dropped ?? 0,
  scale: { float: mask?.scale ?? 1 },
});

/** Dropout, elementwise, in the storage of `x`. */
export const dropout = (x: Tensor, mask: DropoutMask): Tensor =>
  withSeed(mask, (seed) => {
    const attributes = { T: { storage: storageIn(x) }, ...maskAttributes(mask) };
    return runKernel("Dropout", attributes, [x, seed], 1)[0]!;
  });

/** `residual + dropout(x)`, elementwise, in the storage of the residual. */
export const dropoutAndAdd = (x: Tensor, residual: Tensor, mask: DropoutMask): Tensor =>
  withSeed(mask, (seed) => {
    const types = { T: { storage: storageIn(x) }, R: { storage: storageIn(residual) } };
    return runKernel("DropoutAndAdd", { ...types, ...maskAttributes(mask) }, [x, residual, seed], 1)[0]!;
  });
