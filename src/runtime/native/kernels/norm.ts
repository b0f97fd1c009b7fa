import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import type { Storage } from "../storage-types.ts";
import { runKernel, storageIn } from "./run-kernel.ts";

interface NormOptions {
  scale: Tensor | undefined;
  offset: Tensor | undefined;
  /** Layer norm; RMS norm otherwise. */
  centred: boolean;
  epsilon: number;
  /** The storage of the result. */
  result: Storage;
  /** The storage of `kept`; nothing is kept without one. */
  kept: Storage | undefined;
}

/** What a norm gives besides its result: statistics `[..., 1]` and, if asked for, the rows before scale and offset. */
export interface Normalized {
  y: Tensor;
  inverse: Tensor;
  mean: Tensor | undefined;
  kept: Tensor | undefined;
}

/** Layer norm or RMS norm of a tensor `[..., features]` over its last axis, computed in float32. */
export function norm(x: Tensor, { scale, offset, centred, epsilon, result, kept }: NormOptions): Normalized {
  const attributes = {
    ...{ centred: Number(centred), scales: Number(!!scale), offsets: Number(!!offset), keeps: Number(!!kept) },
    ...storages({ X: storageIn(x), S: storageIn(scale), O: storageIn(offset), Y: result, K: kept ?? "float32" }),
    epsilon: { float: epsilon },
  };
  const inputs = [x, scale, offset].filter((tensor) => tensor !== undefined);
  const [y, inverse, ...more] = runKernel("Norm", attributes, inputs, 2 + Number(centred) + Number(!!kept));
  return { y: y!, inverse: inverse!, mean: centred ? more[0] : undefined, kept: kept && more.at(-1) };
}

interface NormGradientOptions {
  inverse: Tensor;
  /** `[..., 1]` of a centred norm whose source is its input. */
  mean: Tensor | undefined;
  scale: Tensor | undefined;
  centred: boolean;
  /** Whether `source` has the normalized rows and not the input. */
  normalized: boolean;
  /** The storage of the input. */
  input: Storage;
}

/** The gradients of the input, in its storage, and of scale and offset, in float32. */
export function normGradients(
  dy: Tensor,
  source: Tensor,
  { inverse, mean, scale, centred, normalized, input }: NormGradientOptions,
): [Tensor, Tensor, Tensor] {
  const attributes = {
    ...{ centred, normalized, scales: Number(!!scale), means: Number(!!mean) },
    ...storages({ Y: storageIn(dy), K: storageIn(source), S: storageIn(scale), X: input }),
  };
  const inputs = [dy, source, inverse, mean, scale].filter((tensor) => tensor !== undefined);
  return runKernel("NormGrad", attributes, inputs, 3) as [Tensor, Tensor, Tensor];
}

const storages = (types: Readonly<Record<string, Storage>>) =>
  Object.fromEntries(Object.entries(types).map(([name, storage]) => [name, { storage }]));
