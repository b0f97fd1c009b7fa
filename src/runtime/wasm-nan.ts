import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { broadcastIndex } from "./broadcast-index.ts";
import type { WasmBackend } from "./tfjs/backend.ts";
import type { Tfjs } from "./tfjs/engine.ts";
import { replaceKernel } from "./tfjs/kernels.ts";

/** Kernels of the WebAssembly backend that do not propagate NaN. The others propagate it, as TensorFlow's kernels do. */
const losing = ["Sign", "Relu6", "ClipByValue", "Maximum", "Minimum"];

/** Makes these kernels return NaN where an input is NaN. */
export function keepNaN(tfjs: Tfjs): void {
  for (const name of losing) replaceKernel(tfjs, name, "wasm", keeping);
}

function keeping(kernel: KernelConfig): KernelConfig["kernelFunc"] {
  return (call) => {
    const result = kernel.kernelFunc(call) as TensorInfo;
    if (result.dtype !== "float32" || result.shape.includes(0)) return result;
    const heap = call.backend as WasmBackend;
    const to = heap.typedArrayFromHeap(result);
    for (const input of Object.values(call.inputs) as TensorInfo[]) {
      const from = heap.typedArrayFromHeap(input);
      const inputIndex = from.some(Number.isNaN) && inputIndexIn(input.shape, result.shape);
      if (inputIndex) for (let i = 0; i < to.length; i++) if (Number.isNaN(from[inputIndex(i)])) to[i] = Number.NaN;
    }
    return result;
  };
}

/** Maps the index of a result element to the index of the broadcast input's element that it comes from. */
function inputIndexIn(from: readonly number[], to: readonly number[]): (i: number) => number {
  const padded = [...Array<number>(to.length - from.length).fill(1), ...from];
  if (padded.every((size, axis) => size === to[axis])) return (i) => i;
  return (i) => broadcastIndex(padded, to, i);
}
