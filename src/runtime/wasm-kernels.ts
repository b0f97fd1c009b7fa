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

/** The WebAssembly backend's transposition divides by zero where an axis has no element. */
export function transposeEmpty(tfjs: Tfjs): void {
  const kernel = tfjs.getKernel("Transpose", "wasm");
  tfjs.unregisterKernel("Transpose", "wasm");
  const kernelFunc: KernelConfig["kernelFunc"] = (call) => {
    const { x } = call.inputs as { x: TensorInfo };
    if (!x.shape.includes(0)) return kernel.kernelFunc(call);
    const shape = (call.attrs as { perm: number[] }).perm.map((axis) => x.shape[axis]!);
    const empty =
      x.dtype === "float32" ? new Float32Array(0) : x.dtype === "bool" ? new Uint8Array(0) : new Int32Array(0);
    return { dataId: (call.backend as KernelBackend).write(empty, shape, x.dtype), shape, dtype: x.dtype };
  };
  tfjs.registerKernel({ ...kernel, kernelFunc });
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
