import { isNative, runtimeInfo, tf } from "../runtime/index.ts";
import { cpuFeatures } from "../runtime/machine.ts";

export interface HalfPrecision {
  /** True where numbers are only rounded as half precision would, and stored as float32. */
  emulated: boolean;
  /** What half precision does here, as a sentence. */
  reason: string;
}

/** What half precision is on the backend in use. */
export function halfPrecision(): HalfPrecision {
  if (!isNative()) {
    const name = tf.getBackend() === "wasm" ? "WebAssembly" : `tfjs' ${tf.getBackend()} backend`;
    return {
      emulated: true,
      reason: `${name} has no half precision: what an op takes and gives is rounded to float16 or bfloat16 and stored as float32, which shows the errors and saves neither memory nor time; float64 stays float32`,
    };
  }
  const { device, gpu } = runtimeInfo();
  return {
    emulated: false,
    reason:
      device === "gpu"
        ? `TensorFlow's kernels on ${gpu ?? "the GPU"}, with tensor cores where it has them (compute capability 7.0 on)`
        : `TensorFlow's kernels on the CPU: ${halfOnCpu(cpuFeatures())}`,
  };
}

/** What half precision is good for on a CPU with these features (Linux's names). */
export function halfOnCpu(features: ReadonlySet<string>): string {
  const fast = [features.has("amx_bf16") && "bfloat16", features.has("amx_fp16") && "float16"].filter(Boolean);
  return fast.length > 0
    ? `float16 and bfloat16 take half the memory; matrix products in ${fast.join(" and ")} run on this CPU's AMX units, several times as fast as in float32, and no other op does`
    : "float16 and bfloat16 take half the memory, and no less time: this CPU has no matrix units for them (AMX)";
}
