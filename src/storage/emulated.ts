import type { DataId, KernelBackend, KernelConfig, Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { isNumber, promoted, type Storage, tf } from "../runtime/index.ts";
import { roundToBfloat16, roundToFloat16 } from "./round.ts";

/** What an op's inputs are to be stored as; undefined leaves them as they are. */
export type Lists = (kernel: string, inputs: readonly TensorInfo[]) => Storage | undefined;

const storages = new WeakMap<DataId, Storage>();
const rounds: Partial<Record<Storage, (values: Float32Array) => void>> = {
  float16: roundToFloat16,
  bfloat16: roundToBfloat16,
};
let emulating = false;
const whenBegun: (() => void)[] = [];

/** Calls back when emulation begins. */
export function onEmulation(callback: () => void): void {
  whenBegun.push(callback);
}

let lists: Lists = () => undefined;

export const emulatedStorageOf = (x: TensorInfo): Storage => storages.get(x.dataId) ?? "float32";

/** Lets autocast decide for the kernels of a backend without half precision. */
export function useLists(decide: Lists): void {
  lists = decide;
}

/**
 * Where TensorFlow does not run, half precision is emulated: numbers stay float32 in memory, and what an op takes and
 * gives is rounded to the format. That shows the arithmetic's errors and saves nothing. float64 stays float32.
 */
export function emulate(): void {
  if (emulating) return;
  emulating = true;
  for (const callback of whenBegun) callback();
  for (const backend of ["wasm", "cpu"]) {
    for (const kernel of tf.getKernelsForBackend(backend)) {
      tf.unregisterKernel(kernel.kernelName, backend);
      tf.registerKernel({ ...kernel, kernelFunc: withRounding(kernel) });
    }
  }
}

export function emulatedCast(x: Tensor, storage: Storage): Tensor {
  emulate();
  const backend = tf.backend() as KernelBackend;
  const made = rounded(backend, { dataId: x.dataId, shape: x.shape, dtype: x.dtype }, storage);
  return tf.engine().makeTensorFromTensorInfo(made);
}

/** The numbers of a tensor, rounded, as another. */
function rounded(backend: KernelBackend, x: TensorInfo, storage: Storage): TensorInfo {
  const values = Float32Array.from(backend.readSync(x.dataId) as ArrayLike<number>);
  rounds[storage]?.(values);
  const dataId = backend.write(values, x.shape, "float32");
  if (storage !== "float32") storages.set(dataId, storage);
  return { dataId, shape: x.shape, dtype: "float32" };
}

function withRounding(kernel: KernelConfig): KernelConfig["kernelFunc"] {
  return (call) => {
    const backend = call.backend as KernelBackend;
    const floats = Object.values(call.inputs)
      .flat()
      .filter((input) => (input as TensorInfo | undefined)?.dtype === "float32") as TensorInfo[];
    const common = commonStorage(floats);
    const wanted = lists(kernel.kernelName, floats) ?? common;
    if (wanted === "float32" && common === "float32") return kernel.kernelFunc(call);
    const made: DataId[] = [];
    const lowered = (input: TensorInfo): TensorInfo => {
      if (input?.dtype !== "float32" || wanted === "float32" || emulatedStorageOf(input) === wanted) return input;
      const copy = rounded(backend, input, wanted);
      made.push(copy.dataId);
      return copy;
    };
    // The inputs of joining kernels are a list.
    const given = call.inputs as unknown as Record<string, TensorInfo | TensorInfo[] | undefined> | TensorInfo[];
    const each = (input: TensorInfo | TensorInfo[] | undefined) =>
      Array.isArray(input) ? input.map(lowered) : input && lowered(input);
    const inputs = Array.isArray(given)
      ? given.map(lowered)
      : Object.fromEntries(Object.entries(given).map(([name, input]) => [name, each(input)]));
    const results = kernel.kernelFunc({ ...call, inputs: inputs as unknown as typeof call.inputs });
    const ids = new Set(floats.map(({ dataId }) => dataId));
    const finish = (result: TensorInfo): TensorInfo => {
      if (result.dtype !== "float32" || wanted === "float32" || ids.has(result.dataId)) return result;
      if (storages.get(result.dataId) === wanted) return result;
      const out = rounded(backend, result, wanted);
      backend.disposeData(result.dataId);
      return out;
    };
    const out = Array.isArray(results) ? results.map(finish) : finish(results);
    for (const dataId of made) backend.disposeData(dataId);
    return out;
  };
}

/** As on TensorFlow: a scalar gives way to a tensor with dimensions, and a number to a scalar. */
function commonStorage(floats: readonly TensorInfo[]): Storage {
  let weight = -1;
  let common: Storage = "float32";
  for (const input of floats) {
    const own = input.shape.length > 0 ? 2 : isNumber(input.dataId) ? 0 : 1;
    if (own < weight) continue;
    common = own > weight ? emulatedStorageOf(input) : promoted(common, emulatedStorageOf(input));
    weight = own;
  }
  return common;
}
