// tfjs' kernels upload the axes, the permutation or the shape in each call, which costs as much as the op itself. These take them
// from constants on the device.
import type { DataType, KernelConfig, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../load.ts";
import { replaceKernel } from "../tfjs/kernels.ts";
import { integers } from "./constants.ts";
import { type AttributeValue, int, isNative, nativeOp } from "./op.ts";

type Op = ReturnType<typeof nativeOp>;

/** TensorFlow's op with an attribute `T` for each type of input. */
function byType(op: string, attributes: Record<string, AttributeValue>): (dtype: DataType) => Op {
  const ops = new Map<DataType, Op>();
  return (dtype) => {
    let found = ops.get(dtype);
    if (!found) {
      found = nativeOp(op, { ...attributes, T: { type: dtype } });
      ops.set(dtype, found);
    }
    return found;
  };
}

function replace(op: string, attributes: Record<string, AttributeValue>, integersOf: (attrs: never) => number[]): void {
  const opOf = byType(op, attributes);
  replaceKernel(
    tf,
    op,
    "tensorflow",
    () =>
      (({ inputs: { x }, attrs }: { inputs: { x: TensorInfo }; attrs: never }) =>
        opOf(x.dtype)(x as never, integers(...integersOf(attrs)))) as never,
  );
}

function replaceReduction(op: string, axesName: "axis" | "reductionIndices"): void {
  const keeping = byType(op, { keep_dims: true, Tidx: int });
  const dropping = byType(op, { keep_dims: false, Tidx: int });
  replaceKernel(tf, op, "tensorflow", ({ kernelFunc }: KernelConfig) => (call) => {
    const x = call.inputs.x as TensorInfo;
    // The mean of integers is one of floats.
    if (op === "Mean" && x.dtype !== "float32") return kernelFunc(call);
    const { keepDims, [axesName]: axis } = call.attrs as Record<string, unknown>;
    const axes = tf.util.parseAxisParam(axis as number[], x.shape);
    return (keepDims ? keeping : dropping)(x.dtype)(x as never, integers(...axes));
  });
}

if (isNative()) {
  replace("Reshape", { Tshape: int }, ({ shape }: { shape: number[] }) => shape);
  replace("Transpose", { Tperm: int }, ({ perm }: { perm: number[] }) => perm);
  for (const op of ["Sum", "Mean", "Prod", "Min"]) replaceReduction(op, "axis");
  replaceReduction("Max", "reductionIndices");
}
