import type { TensorInfo } from "@tensorflow/tfjs-node-gpu";
import { bytesOf, type GatedOp, runtimeInfo, tf } from "../runtime/index.ts";
import { productKernel } from "../runtime/native/kernels/kernel-name.ts";

const sameShape = new Set(
  "Abs Acos Asin Atan Ceil Cos Cosh Elu EluGrad Erf Exp Expm1 Floor LeakyRelu Log Log1p LogSoftmax Neg Reciprocal Relu Relu6 Relu6Grad ReluGrad Round Rsqrt Selu Sigmoid SigmoidGrad Sign Sin Sinh Softmax Softplus Sqrt Square Tan Tanh TanhGrad Transpose ZerosLike OnesLike Reverse ReverseV2 Cumsum".split(
    " ",
  ),
);
const broadcast = new Set(
  "Add AddV2 Sub Mul Div RealDiv DivNoNan FloorDiv FloorMod Mod Maximum Minimum Pow SquaredDifference Atan2 Prelu".split(
    " ",
  ),
);
const compare = new Set("Equal NotEqual Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr".split(" "));
const matmul = new Set([productKernel, "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"]);
const bool = 10;

type Attributes = readonly { name: string; value: unknown }[];

let isNative: boolean | undefined;

/** Bytes of a TensorFlow op's result where its shape follows from the inputs; undefined for other ops. */
export function resultBytes({ name, attrs, inputs }: GatedOp): number | undefined {
  isNative ??= runtimeInfo().backend === "tensorflow";
  if (!isNative) return undefined;
  const attribute = (key: string) => (attrs as Attributes).find((attr) => attr.name === key)?.value;
  const type = Number(attribute("T") ?? 1);
  const shapes = inputs.map((input) => (input as TensorInfo).shape);
  if (shapes.some((shape) => shape === undefined)) return undefined;
  if (sameShape.has(name)) return bytesOf(shapes[0]!, type);
  if (name === "Cast")
    return attribute("SrcT") === attribute("DstT") ? 0 : bytesOf(shapes[0]!, Number(attribute("DstT")));
  if (broadcast.has(name)) return bytesOf(broadcasted(shapes[0]!, shapes[1]!), type);
  if (compare.has(name)) return bytesOf(broadcasted(shapes[0]!, shapes[1]!), bool);
  if (matmul.has(name)) {
    const [a, b] = shapes as [number[], number[]];
    const turned = (key: string, other: string) => Boolean(attribute(key) ?? attribute(other));
    const rows = a.at(turned("transpose_a", "adj_x") ? -1 : -2)!;
    const columns = b.at(turned("transpose_b", "adj_y") ? -2 : -1)!;
    return bytesOf([...broadcasted(a.slice(0, -2), b.slice(0, -2)), rows, columns], type);
  }
  if (name === "Fill") return bytesOf(values(inputs[0]!), type);
  if (name === "BroadcastTo") return bytesOf(values(inputs[1]!), type);
  if (name === "Tile") return bytesOf(values(inputs[1]!), type) * shapes[0]!.reduce((size, n) => size * n, 1);
  if (name === "OneHot") return bytesOf([...shapes[0]!, values(inputs[1]!)[0]!], type);
  if (name === "ConcatV2") return shapes.slice(0, -1).reduce((sum, shape) => sum + bytesOf(shape, type), 0);
  return undefined;
}

/** The values of a small integer input, for instance a shape. */
export const values = (info: TensorInfo): number[] => Array.from(tf.backend().readSync(info.dataId) as Int32Array);

function broadcasted(a: readonly number[], b: readonly number[]): number[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const shape = [...long];
  const start = long.length - short.length;
  for (let i = 0; i < short.length; i++) if (shape[start + i] === 1) shape[start + i] = short[i]!;
  return shape;
}
