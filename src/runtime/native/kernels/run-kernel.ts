import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { nativeBackend } from "../backend.ts";
import { nativeStorageOf } from "../cast.ts";
import { type AttributeValue, attribute } from "../op.ts";
import type { Storage } from "../storage-types.ts";
import { kernelPrefix } from "./kernel-name.ts";

/** Runs an op of this folder; `name` is its name after "Halftone". It is not recorded on the gradient tape. */
export function runKernel(
  name: string,
  attributes: Readonly<Record<string, AttributeValue>>,
  inputs: readonly Tensor[],
  outputs: number,
): Tensor[] {
  const attrs = Object.entries(attributes).map(([key, value]) => attribute(key, value));
  return nativeBackend().executeMultipleOutputs(kernelPrefix + name, attrs, [...inputs], outputs);
}

/** The storage of a tensor of the native backend. */
export const storageIn = (x: Tensor): Storage => nativeStorageOf(x) ?? "float32";
