import type { DataId, KernelBackend, KernelConfig, TensorInfo } from "@tensorflow/tfjs-node-gpu";

type Tfjs = typeof import("@tensorflow/tfjs-node-gpu");

/** Complex numbers have no place in the WebAssembly backend's heap. */
const complex = /^(Complex|ComplexAbs|Real|Imag|I?FFT|STFT)$/;

/**
 * The WebAssembly backend lacks some kernels that training needs (as the sum by segments, which is the gradient of
 * gather). They run on tfjs' plain JavaScript backend: inputs are copied over, results copied back.
 */
export function borrowKernels(tfjs: Tfjs): void {
  const has = new Set(tfjs.getKernelsForBackend("wasm").map((kernel) => kernel.kernelName));
  for (const kernel of tfjs.getKernelsForBackend("cpu")) {
    if (has.has(kernel.kernelName) || complex.test(kernel.kernelName)) continue;
    tfjs.registerKernel({ ...kernel, backendName: "wasm", kernelFunc: onCpu(tfjs, kernel) });
  }
}

function onCpu(tfjs: Tfjs, kernel: KernelConfig): KernelConfig["kernelFunc"] {
  return ({ inputs, attrs, backend }) => {
    const cpu = tfjs.findBackend("cpu");
    const wasm = backend as KernelBackend;
    // Its first use prints advice about other backends.
    (cpu as unknown as { firstUse: boolean }).firstUse = false;
    const there: DataId[] = [];
    const copy = (info: TensorInfo): TensorInfo => {
      const dataId = cpu.write(wasm.readSync(info.dataId), info.shape, info.dtype);
      there.push(dataId);
      return { dataId, shape: info.shape, dtype: info.dtype };
    };
    const given: Record<string, unknown> | unknown[] = Array.isArray(inputs) ? [] : {};
    for (const [name, value] of Object.entries(inputs as Record<string, TensorInfo | TensorInfo[] | undefined>)) {
      const copied = Array.isArray(value) ? value.map(copy) : value && copy(value);
      (given as Record<string, unknown>)[name] = copied;
    }
    const made = kernel.kernelFunc({ inputs: given as typeof inputs, attrs, backend: cpu });
    const back = (info: TensorInfo): TensorInfo => {
      const values = cpu.readSync(info.dataId);
      there.push(info.dataId);
      return { dataId: wasm.write(values, info.shape, info.dtype), shape: info.shape, dtype: info.dtype };
    };
    const results = Array.isArray(made) ? made.map(back) : back(made);
    for (const dataId of there) cpu.disposeData(dataId, true);
    return results;
  };
}
