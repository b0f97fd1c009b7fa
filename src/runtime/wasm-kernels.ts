import type { DataId, KernelBackend, KernelConfig, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { sizeOf } from "../base/shape.ts";
import type { Tfjs } from "./tfjs/engine.ts";
import { replaceKernel } from "./tfjs/kernels.ts";

/** Complex numbers are not stored in the WebAssembly backend's heap. */
const complex = /^(Complex|ComplexAbs|Real|Imag|I?FFT|STFT)$/;

type DTypes = readonly TensorInfo["dtype"][];
const names = (text: string): string[] => text.trim().split(/\s+/);

/**
 * The element types that a kernel's C++ supports (tfjs-backend-wasm/src/cc/kernels). For another type it computes nothing,
 * interprets the bits as float32, or, for bool with one byte per element, reads and writes past the end of the tensor.
 */
const computes = new Map<string, DTypes>(
  Object.entries({
    float32: `Acosh Asinh BatchMatMul Ceil ClipByValue Cos Cosh Elu EluGrad Erf Floor IsFinite IsInf IsNan Log Log1p Mean
      Prelu Reciprocal Rsqrt Sigmoid Sin Softmax Sqrt Tan Tanh _FusedMatMul`,
    "float32 int32": `Abs Acos Asin Atan Atan2 Atanh Cumprod Cumsum DepthToSpace Exp Expm1 FloorDiv LeakyRelu Maximum
      Minimum Mod Neg Relu Relu6 Reverse Round SearchSorted Select Selu Sign Sinh Softplus Square Step StridedSlice Sum
      TopK`,
    "float32 int32 bool": `Add AddN ArgMax ArgMin Diag Equal GatherNd GatherV2 Greater GreaterEqual Less LessEqual Max Min
      MirrorPad Multiply NotEqual PadV2 Pow Prod RealDiv ScatterNd SquaredDifference Sub Tile Transpose`,
    bool: "All Any LogicalAnd LogicalNot LogicalOr LogicalXor",
    "int32 bool": "OneHot",
  }).flatMap(([dtypes, kernels]) =>
    names(kernels).map((kernel) => [kernel, names(dtypes) as unknown as DTypes] as const),
  ),
);

/** Inputs that the types above do not describe: conditions and indices. */
const besides: Record<string, string> = { Select: "condition", GatherV2: "indices", GatherNd: "indices" };

/**
 * Kernels with errors of dozens of units in the last place, and wrong results for arguments above some thousands
 * (sin_cos_workaround.cc). Log1p computes log(1 + x) and loses all digits near 0.
 */
const imprecise = new Set(names("Cos Log1p Sin Tan"));

/**
 * Kernels with a wrong result. MaxPoolGrad searches the largest element of a window from the least positive number up, so that a
 * window without a positive number gets a gradient of 0.
 */
const wrong = new Set(["MaxPoolGrad"]);

/** Kernels of XNNPACK, which support at most six axes. */
const sixAxes = new Set(names("Add Multiply PadV2 RealDiv SquaredDifference Sub"));

/** Whether the backend's own kernel computes this correctly. */
function isOwn(kernel: string, inputs: object, attrs: unknown): boolean {
  // The kernel truncates numbers to bytes, so -1 becomes 255.
  if (kernel === "Cast") return (attrs as { dtype: string }).dtype !== "bool";
  if (imprecise.has(kernel) || wrong.has(kernel)) return false;
  // XNNPACK rejects equal bounds, and then no result is written.
  if (kernel === "ClipByValue") {
    const { clipValueMin, clipValueMax } = attrs as Record<string, number>;
    if (!(clipValueMin! < clipValueMax!)) return false;
  }
  const dtypes = computes.get(kernel);
  if (!dtypes) return true;
  for (const [name, input] of Object.entries(inputs) as [string, TensorInfo | undefined][]) {
    if (!input) continue;
    // Most kernels read the first element of an empty tensor (the other backend's FloorDiv gives int32).
    if (input.shape.includes(0) && kernel !== "FloorDiv") return false;
    if (input.shape.length > 6 && sixAxes.has(kernel)) return false;
    if (!dtypes.includes(input.dtype) && besides[kernel] !== name) return false;
  }
  return true;
}

/**
 * The WebAssembly backend lacks some kernels that training needs (for instance the sum by segments, the gradient of gather),
 * and some of its kernels are wrong for some types, ranks and sizes. These ops run on tfjs' JavaScript backend: the inputs are
 * copied to it, and the results are copied back.
 */
export function borrowKernels(tfjs: Tfjs): void {
  const own = new Set(tfjs.getKernelsForBackend("wasm").map(({ kernelName }) => kernelName));
  for (const kernel of tfjs.getKernelsForBackend("cpu")) {
    const name = kernel.kernelName;
    if (complex.test(name)) continue;
    const borrowed = onCpu(tfjs, kernel);
    if (!own.has(name)) {
      tfjs.registerKernel({ ...kernel, backendName: "wasm", kernelFunc: borrowed });
      continue;
    }
    if (name !== "Cast" && !computes.has(name) && !wrong.has(name)) continue;
    replaceKernel(tfjs, name, "wasm", ({ kernelFunc }) => {
      return (call) => (isOwn(name, call.inputs, call.attrs) ? kernelFunc(call) : borrowed(call));
    });
  }
}

/** The WebAssembly backend's transposition divides by zero when an axis has size 0. */
export function transposeEmpty(tfjs: Tfjs): void {
  replaceKernel(tfjs, "Transpose", "wasm", (kernel) => (call) => {
    const { x } = call.inputs as { x: TensorInfo };
    if (!x.shape.includes(0)) return kernel.kernelFunc(call);
    const shape = (call.attrs as { perm: number[] }).perm.map((axis) => x.shape[axis]!);
    const empty =
      x.dtype === "float32" ? new Float32Array(0) : x.dtype === "bool" ? new Uint8Array(0) : new Int32Array(0);
    return { dataId: (call.backend as KernelBackend).write(empty, shape, x.dtype), shape, dtype: x.dtype };
  });
}

/**
 * Lets the result of Identity share the data of its input, as on TensorFlow and in the backend's own Reshape. The backend's Identity
 * copies the data, which takes the memory of every tensor that the tape saves twice.
 */
export function shareIdentity(tfjs: Tfjs): void {
  replaceKernel(tfjs, "Identity", "wasm", (kernel) => (call) => {
    const { x } = call.inputs as { x: TensorInfo };
    if (x.dtype === "string") return kernel.kernelFunc(call);
    (call.backend as KernelBackend).incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  });
}

/** The number of elements up to which the backend's kernels may add in float32. Longer sums lose too many digits. */
const LONGEST_SUM = 4096;

/**
 * Long sums and means over the last axes (usually over a whole tensor) are added in doubles, which is as accurate as NumPy's pairwise
 * sums. Other axes use the backend's kernels; NumPy uses plain addition for them too.
 */
export function addLongSumsInDoubles(tfjs: Tfjs): void {
  for (const name of ["Sum", "Mean"]) {
    replaceKernel(tfjs, name, "wasm", (kernel) => (call) => {
      const { x } = call.inputs as { x: TensorInfo };
      const { axis, keepDims } = call.attrs as { axis?: number | readonly number[]; keepDims?: boolean };
      const rank = x.shape.length;
      const axes = [axis ?? [...x.shape.keys()]].flat().map((each) => (each < 0 ? each + rank : each));
      const first = rank - axes.length;
      const [outer, summed] = [x.shape.slice(0, first), x.shape.slice(first)];
      const length = sizeOf(summed);
      if (x.dtype !== "float32" || length <= LONGEST_SUM || axes.some((each) => each < first))
        return kernel.kernelFunc(call);
      const backend = call.backend as KernelBackend;
      const values = backend.readSync(x.dataId) as Float32Array;
      const sums = new Float32Array(values.length / length);
      for (let row = 0; row < sums.length; row++) {
        let sum = 0;
        for (let i = row * length; i < (row + 1) * length; i++) sum += values[i]!;
        sums[row] = name === "Mean" ? sum / length : sum;
      }
      const shape = keepDims ? [...outer, ...summed.map(() => 1)] : outer;
      return { dataId: backend.write(sums, shape, "float32"), shape, dtype: "float32" };
    });
  }
}

function onCpu(tfjs: Tfjs, kernel: KernelConfig): KernelConfig["kernelFunc"] {
  return ({ inputs, attrs, backend }) => {
    const cpu = tfjs.findBackend("cpu");
    const wasm = backend as KernelBackend;
    // The first use of the JavaScript backend prints advice about other backends.
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
