import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { nativeBackend } from "../backend.ts";
import { nativeStorageOf } from "../cast.ts";
import { type Donation, withDonation } from "../donation.ts";
import { type AttributeValue, attribute } from "../op.ts";
import type { Storage } from "../storage-types.ts";
import { kernelPrefix } from "./kernel-name.ts";

/**
 * Runs an op of this folder; `name` is its name after "Halftone". It is not recorded on the gradient tape. Its results may be computed in
 * the memory of a donation, which must then be disposed.
 */
export function runKernel(
  name: string,
  attributes: Readonly<Record<string, AttributeValue>>,
  inputs: readonly Tensor[],
  outputs: number,
  donation?: Donation,
): Tensor[] {
  const attrs = Object.entries(attributes).map(([key, value]) => attribute(key, value));
  const run = () => nativeBackend().executeMultipleOutputs(kernelPrefix + name, attrs, [...inputs], outputs);
  return donation ? withDonation(donation, run) : run();
}

/** The storage of a tensor of the native backend, float32 without one. */
export const storageIn = (x: Tensor | undefined): Storage => (x && nativeStorageOf(x)) ?? "float32";
