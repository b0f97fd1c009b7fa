import { isNative, runtimeInfo, tf } from "../runtime/index.ts";
import { cpuFeatures } from "../runtime/machine.ts";

/** How the backend supports half precision. */
export interface HalfPrecision {
  /** True where numbers are rounded to half precision but stored as float32. */
  emulated: boolean;
  /** What half precision saves on this machine, as a sentence. */
  reason: string;
}

/** How the backend in use supports half precision, and what it saves. */
export function halfPrecision(): HalfPrecision {
  if (!isNative()) {
    const name = tf.getBackend() === "wasm" ? "WebAssembly" : `tfjs' ${tf.getBackend()} backend`;
    return {
      emulated: true,
      reason: `${name} has no half precision: inputs and results are rounded to float16 or bfloat16 and stored as float32, which shows the errors but saves neither memory nor time; float64 is float32`,
    };
  }
  const { device, gpu } = runtimeInfo();
  return {
    emulated: false,
    reason:
      device === "gpu"
        ? `TensorFlow's kernels on ${gpu ?? "the GPU"}, with tensor cores where it has them (compute capability 7.0 or higher)`
        : `TensorFlow's kernels on the CPU: ${halfOnCpu(cpuFeatures())}`,
  };
}

/** What half precision saves on a CPU with these features (Linux's names). */
export function halfOnCpu(features: ReadonlySet<string>): string {
  const fast = [features.has("amx_bf16") && "bfloat16", features.has("amx_fp16") && "float16"].filter(Boolean);
  return fast.length > 0
    ? `float16 and bfloat16 take half the memory; only matrix products in ${fast.join(" and ")} are faster than in float32, on this CPU's AMX units`
    : "float16 and bfloat16 take half the memory but no less time: this CPU has no matrix units for them (AMX)";
}
