import type { KernelBackend, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { Pool } from "./pool-gradients.ts";
import type { Tfjs } from "./tfjs/engine.ts";
import { replaceKernel } from "./tfjs/kernels.ts";

/**
 * Corrects the gradient of means at the edge. The mean of a window there is over the elements inside of the image, but the
 * WebAssembly backend's kernel divides its gradient by the size of the window.
 */
export function countInsideWindows(tfjs: Tfjs): void {
  replaceKernel(tfjs, "AvgPoolGrad", "wasm", ({ kernelFunc }) => (call) => {
    const { dy, input } = call.inputs as Record<"dy" | "input", TensorInfo>;
    const { filterSize, strides, pad } = call.attrs as unknown as Pool;
    const shape = input.shape as [number, number, number, number];
    const info = tfjs.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad);
    const { padInfo, filterHeight, filterWidth, strideHeight, strideWidth, outHeight, outWidth, inChannels } = info;
    if (padInfo.top + padInfo.bottom + padInfo.left + padInfo.right === 0) return kernelFunc(call);

    const rows = sharesInside(outHeight, strideHeight, filterHeight, padInfo.top, info.inHeight);
    const columns = sharesInside(outWidth, strideWidth, filterWidth, padInfo.left, info.inWidth);
    const backend = call.backend as KernelBackend;
    const scaled = (backend.readSync(dy.dataId) as Float32Array).map((slope, i) => {
      const place = Math.floor(i / inChannels);
      return slope / (rows[Math.floor(place / outWidth) % outHeight]! * columns[place % outWidth]!);
    });
    const dataId = backend.write(scaled, dy.shape, "float32");
    const result = kernelFunc({ ...call, inputs: { ...call.inputs, dy: { ...dy, dataId } } });
    backend.disposeData(dataId, true);
    return result;
  });
}

/** Along one axis, the share of each window that lies inside. */
const sharesInside = (count: number, stride: number, size: number, before: number, length: number): number[] =>
  Array.from({ length: count }, (_, i) => {
    const begin = i * stride - before;
    return (Math.min(begin + size, length) - Math.max(begin, 0)) / size;
  });
