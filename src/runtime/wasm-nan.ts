import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { broadcastIndex } from "./broadcast-index.ts";
import type { WasmBackend } from "./tfjs/backend.ts";
import type { Tfjs } from "./tfjs/engine.ts";
import { replaceKernel } from "./tfjs/kernels.ts";

/** Kernels of the WebAssembly backend that lose a NaN; the others pass it on as TensorFlow's do. */
const losing = ["Sign", "Relu6", "ClipByValue", "Maximum", "Minimum"];

/** Makes the result of those NaN where an input is. */
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
      const places = from.some(Number.isNaN) && placesIn(input.shape, result.shape);
      if (places) for (let i = 0; i < to.length; i++) if (Number.isNaN(from[places(i)])) to[i] = Number.NaN;
    }
    return result;
  };
}

/** Where the element of a broadcast input lies that the i-th of the result was made of. */
function placesIn(from: readonly number[], to: readonly number[]): (i: number) => number {
  const padded = [...Array<number>(to.length - from.length).fill(1), ...from];
  if (padded.every((size, axis) => size === to[axis])) return (i) => i;
  return (i) => broadcastIndex(padded, to, i);
}
