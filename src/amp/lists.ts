import { productKernel } from "../runtime/native/kernels/kernel-name.ts";

/**
 * The type that an op runs in under autocast: the half type, float32, or the widest type of its inputs. Other ops run in the
 * types of their inputs, which promote to the widest.
 */
export type List = "half" | "float32" | "widest";

/** TensorFlow's auto_mixed_precision lists: half; half if its inputs are; never half; either; not listed. */
type TensorFlowList = "allow" | "infer" | "deny" | "clear" | "none";

/** An op, its autocast list, and the lists of PyTorch and TensorFlow. */
export interface Listed {
  /** The op's name in TensorFlow's registry. */
  op: string;
  list: List;
  /** The name in PyTorch's documented lists; absent where only TensorFlow has the op. */
  pytorch?: string;
  tensorflow: TensorFlowList;
  /** The reason where the two differ or neither lists the op. */
  why?: string;
}

const half = (op: string, pytorch?: string, tensorflow: TensorFlowList = "allow", why?: string): Listed => ({
  ...{ op, list: "half" as const, tensorflow },
  ...(pytorch && { pytorch }),
  ...(why && { why }),
});
const single = (op: string, pytorch?: string, tensorflow: TensorFlowList = "none", why?: string): Listed => ({
  ...half(op, pytorch, tensorflow, why),
  list: "float32",
});
const widest = (op: string, pytorch: string, tensorflow: TensorFlowList = "none"): Listed => ({
  ...half(op, pytorch, tensorflow),
  list: "widest",
});

const gradientOf = "the gradient of an op on this list";
const ours = "PyTorch's list is followed";

/**
 * PyTorch's lists (docs/source/amp.rst, "CUDA ops that can autocast") by TensorFlow's op names, beside TensorFlow's own
 * (tensorflow/core/grappler/optimizers/auto_mixed_precision_lists.h). Where they differ PyTorch's is followed, except for
 * Mean. Functions of several ops that PyTorch lists as a whole (norm, rmsNorm, the losses) are so here too: tensor/half.ts.
 */
const table: Listed[] = [
  half("MatMul", "matmul, mm, mv, linear, addmm"),
  half("BatchMatMul", "bmm, baddbmm"),
  half("BatchMatMulV2", "bmm, baddbmm"),
  half("Einsum", "einsum (through bmm)"),
  half("BiasAdd", "linear, conv2d", "infer", "PyTorch's linear and convolutions add their bias within"),
  half("_FusedMatMul", "linear"),
  half("_FusedConv2D", "conv2d"),
  half("Conv2D", "conv1d, conv2d"),
  half("Conv2DBackpropInput", "conv_transpose1d, conv_transpose2d"),
  half("Conv2DBackpropFilter", undefined, "allow", gradientOf),
  half("Conv3D", "conv3d"),
  half("Conv3DBackpropInputV2", "conv_transpose3d"),
  half("Conv3DBackpropFilterV2", undefined, "allow", gradientOf),
  half("DepthwiseConv2dNative", "conv2d with groups", "none", ours),
  half("DepthwiseConv2dNativeBackpropInput", undefined, "none", gradientOf),
  half("DepthwiseConv2dNativeBackpropFilter", undefined, "none", gradientOf),

  single("Acos", "acos"),
  single("Asin", "asin"),
  single("Cosh", "cosh"),
  single("Sinh", "sinh"),
  single("Tan", "tan"),
  single("Exp", "exp", "deny"),
  single("Expm1", "expm1", "deny"),
  single("Log", "log", "infer", ours),
  single("Log1p", "log1p", "infer", ours),
  single("Pow", "pow", "deny"),
  single("Square", "pow, which torch.square calls"),
  single("Reciprocal", "reciprocal", "infer", ours),
  single("Inv", "reciprocal", "infer", ours),
  single("Rsqrt", "rsqrt"),
  single("Softplus", "softplus", "infer", ours),
  single("Cumsum", "cumsum"),
  single("Cumprod", "cumprod"),
  single("Prod", "prod", "infer", ours),
  single("Sum", "sum", "deny"),
  single("Mean", undefined, "deny", "TensorFlow's list is followed: what is averaged is most often a loss"),
  single("Softmax", "softmax", "infer", `${ours}; attention then keeps its weights in half precision again`),
  single("LogSoftmax", "log_softmax", "infer", ours),
  single("L2Loss", "norm", "deny"),
  single("EuclideanNorm", "norm"),
  single("SoftmaxCrossEntropyWithLogits", "cross_entropy", "deny"),
  single("SparseSoftmaxCrossEntropyWithLogits", "cross_entropy, nll_loss", "deny"),
  single("FusedBatchNormV3", undefined, "infer", "scale, shift and statistics are float32 in any case"),
  single("FusedBatchNormGradV3", undefined, "infer", gradientOf),
  single("UnsortedSegmentSum", undefined, "none", "a sum, of a gathered table's gradient"),

  widest("AddN", "addcmul, addcdiv", "infer"),
  widest("Atan2", "atan2"),
  widest("Cross", "cross"),
  widest("ScatterNd", "scatter_add, index_put"),
  widest("TensorScatterUpdate", "index_put"),
];

const lists = new Map<string, List>(table.map(({ op, list }) => [op, list]));

/** Every op that autocast changes, with its list and the lists of PyTorch and TensorFlow. */
export const autocastLists = (): readonly Listed[] =>
  table.flatMap((row) => {
    const list = lists.get(row.op);
    return list ? [{ ...row, list }] : [];
  });

/** The list of an op; undefined where it runs in the types of its inputs. */
export const listOf = (op: string): List | undefined => lists.get(op === productKernel ? "MatMul" : op);

/**
 * Puts an op of TensorFlow's registry on an autocast list; `undefined` removes it from its list. Returns a function that undoes
 * the change.
 *
 * @throws TypeError for an unknown list
 */
export function registerAutocast(op: string, list: List | undefined): () => void {
  if (list !== undefined && !["half", "float32", "widest"].includes(list)) {
    throw new TypeError(`registerAutocast: the list must be "half", "float32" or "widest", got "${list}"`);
  }
  const before = lists.get(op);
  const at = table.findIndex((row) => row.op === op);
  const set = (value: List | undefined) => {
    if (value) lists.set(op, value);
    else lists.delete(op);
  };
  set(list);
  if (at < 0 && list) table.push({ op, list, tensorflow: "none", why: "registered by the program" });
  return () => set(before);
}
