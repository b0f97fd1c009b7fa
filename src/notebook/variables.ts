/**
 * The environment variables that affect how TensorFlow and Halftone compute, each with its valid values. No other variable is written
 * to a record or read from one, because people share records: another variable may hold a secret, or make a program load foreign code.
 */
const NUMBER = /^-?\d{1,12}$/;
const SWITCH = /^(\d{1,2}|true|false|on|off|yes|no)$/i;

const KNOWN: Record<string, RegExp> = {
  TF_NUM_INTRAOP_THREADS: NUMBER,
  TF_NUM_INTEROP_THREADS: NUMBER,
  TF_ENABLE_ONEDNN_OPTS: SWITCH,
  TF_DETERMINISTIC_OPS: SWITCH,
  TF_CUDNN_DETERMINISTIC: SWITCH,
  TF_CUDNN_USE_AUTOTUNE: SWITCH,
  TF_ENABLE_CUBLAS_TENSOR_OP_MATH_FP32: SWITCH,
  TF_ENABLE_CUDNN_TENSOR_OP_MATH_FP32: SWITCH,
  TF_CPU_ALLOCATOR_USE_BFC: SWITCH,
  TF_CPU_BFC_MEM_LIMIT_IN_MB: NUMBER,
  TF_FORCE_GPU_ALLOW_GROWTH: SWITCH,
  TF_GPU_ALLOCATOR: /^cuda_malloc(_async)?$/,
  TF_CPP_MIN_LOG_LEVEL: NUMBER,
  OMP_NUM_THREADS: /^\d{1,4}(,\d{1,4})*$/,
  OMP_DYNAMIC: SWITCH,
  OMP_PROC_BIND: /^(true|false|primary|master|close|spread)$/i,
  MKL_NUM_THREADS: NUMBER,
  OPENBLAS_NUM_THREADS: NUMBER,
  ONEDNN_MAX_CPU_ISA: /^[A-Z0-9_]{1,32}$/i,
  DNNL_MAX_CPU_ISA: /^[A-Z0-9_]{1,32}$/i,
  ONEDNN_DEFAULT_FPMATH_MODE: /^(strict|bf16|f16|tf32|any)$/i,
  CUDA_VISIBLE_DEVICES: /^(-?\d{1,3}(,-?\d{1,3})*|NoDevFiles|(GPU|MIG)-[\da-f-]{1,40}(,(GPU|MIG)-[\da-f-]{1,40})*)?$/i,
  NVIDIA_TF32_OVERRIDE: SWITCH,
  HALFTONE_BACKEND: /^(tensorflow|wasm)$/,
  HALFTONE_KERNELS: /^(fused|separate)$/,
  HALFTONE_TYPES: /^(error|warn|off)$/,
};

/** Selects the variables that a record may hold and that may be set from a record. */
export function recordedVariables(given: Record<string, unknown>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, values] of Object.entries(KNOWN)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (typeof value === "string" && values.test(value)) kept[name] = value;
  }
  return Object.fromEntries(Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
}
