import type { KernelBackend, KernelConfig, Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { sizeOf } from "../base/shape.ts";
import type { NativeBackend } from "./tfjs/backend.ts";
import type { Tfjs } from "./tfjs/engine.ts";
import type { RunOp } from "./tfjs/hooks.ts";
import { replaceKernel } from "./tfjs/kernels.ts";

/**
 * Gives the operands of every batched product equal batch axes. TensorFlow's oneDNN kernel of BatchMatMulV2 broadcasts them
 * wrongly: parts of the result are uninitialized memory (tensorflow/tensorflow#123109).
 */
export function withEqualBatches(backend: NativeBackend, next: RunOp): RunOp {
  return (op) => {
    const { name, attrs, inputs } = op;
    if (!name.startsWith("BatchMatMul")) return next(op);
    const batch = broadcastBatch(inputs[0]!.shape, inputs[1]!.shape);
    if (!batch) return next(op);
    const made: Tensor[] = [];
    const widened = inputs.map((input) => {
      const shape = [...batch, ...input.shape.slice(-2)];
      if (isSame(input.shape, shape)) return input;
      const result = shaped(backend, next, attrs, input, shape);
      made.push(result);
      return result;
    });
    try {
      return next({ ...op, inputs: widened });
    } finally {
      for (const tensor of made) tensor.dispose();
    }
  };
}

/**
 * The same for WebAssembly, whose kernels pair the batches by their order in memory. These kernels also read past the end of
 * empty matrices.
 */
export function equalizeWasmBatches(tfjs: Tfjs): void {
  const tile = tfjs.getKernel("Tile", "wasm");
  for (const name of ["BatchMatMul", "_FusedMatMul"])
    replaceKernel(tfjs, name, "wasm", (kernel) => wasmProduct(kernel, tile));
}

function wasmProduct(kernel: KernelConfig, tile: KernelConfig): KernelConfig["kernelFunc"] {
  return (call) => {
    const backend = call.backend as KernelBackend;
    const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo };
    const { transposeA, transposeB } = call.attrs as { transposeA?: boolean; transposeB?: boolean };
    const batch = broadcastBatch(a.shape, b.shape);
    if (a.dtype === "float32" && (sizeOf(a.shape) === 0 || sizeOf(b.shape) === 0) && !call.inputs.bias) {
      const [m, n] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
      const shape = [...(batch ?? a.shape.slice(0, -2)), m, n];
      return { dataId: backend.write(new Float32Array(sizeOf(shape)), shape, "float32"), shape, dtype: "float32" };
    }
    if (!batch) return kernel.kernelFunc(call);
    const made: TensorInfo[] = [];
    const widened = (input: TensorInfo): TensorInfo => {
      const shape = [...batch, ...input.shape.slice(-2)];
      const padded = [...Array<number>(shape.length - input.shape.length).fill(1), ...input.shape];
      const same = { dataId: input.dataId, shape: padded, dtype: input.dtype };
      if (isSame(padded, shape)) return same;
      const reps = shape.map((size, i) => (padded[i] === size ? 1 : size));
      const result = tile.kernelFunc({ inputs: { x: same }, backend, attrs: { reps } }) as TensorInfo;
      made.push(result);
      return result;
    };
    try {
      return kernel.kernelFunc({ ...call, inputs: { ...call.inputs, a: widened(a), b: widened(b) } });
    } finally {
      for (const { dataId } of made) backend.disposeData(dataId);
    }
  };
}

/** The batch axes that both operands need; undefined when they are already equal or do not broadcast. */
function broadcastBatch(a: readonly number[], b: readonly number[]): number[] | undefined {
  const [x, y] = [a.slice(0, -2), b.slice(0, -2)];
  if (isSame(x, y)) return undefined;
  const rank = Math.max(x.length, y.length);
  const batch: number[] = [];
  for (let i = 0; i < rank; i++) {
    const [one, other] = [x[x.length - rank + i] ?? 1, y[y.length - rank + i] ?? 1];
    if (one !== other && one !== 1 && other !== 1) return undefined;
    batch.push(one === 1 ? other : one);
  }
  return batch;
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** The operand reshaped to the given shape, with its batches repeated where that is larger. */
function shaped(
  backend: NativeBackend,
  next: RunOp,
  attrs: readonly TFEOpAttr[],
  input: TensorInfo,
  shape: number[],
): Tensor {
  const { TF_ATTR_TYPE, TF_INT32 } = backend.binding;
  const repeats = sizeOf(shape) !== sizeOf(input.shape);
  // Not the tfjs dtype, which is float32 also for half precision.
  const type = attrs.find((attr) => attr.name === "T")!;
  const index = { name: repeats ? "Tidx" : "Tshape", type: TF_ATTR_TYPE, value: TF_INT32 };
  const dataId = {};
  backend.move(dataId, Int32Array.from(shape), [shape.length], "int32", 1);
  try {
    const sizes: TensorInfo = { dataId, shape: [shape.length], dtype: "int32" };
    const name = repeats ? "BroadcastTo" : "Reshape";
    return next({ name, attrs: [type, index], inputs: [input, sizes], outputs: 1 })[0]!;
  } finally {
    backend.disposeData(dataId);
  }
}
