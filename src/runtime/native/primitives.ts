import { bool, float, int, nativeOp, nativeOpOf } from "./op.ts";

const nhwc = { text: "NHWC" };

export const matMul = nativeOp("MatMul", { T: float, transpose_a: false, transpose_b: false });
export const matMulTransposedA = nativeOp("MatMul", { T: float, transpose_a: true, transpose_b: false });
export const matMulTransposedB = nativeOp("MatMul", { T: float, transpose_a: false, transpose_b: true });
export const batchMatMul = nativeOp("BatchMatMulV2", { T: float, adj_x: false, adj_y: false });
export const batchMatMulTransposedA = nativeOp("BatchMatMulV2", { T: float, adj_x: true, adj_y: false });
export const batchMatMulTransposedB = nativeOp("BatchMatMulV2", { T: float, adj_x: false, adj_y: true });

export const add = nativeOp("AddV2", { T: float });
export const subtract = nativeOp("Sub", { T: float });
export const multiply = nativeOp("Mul", { T: float });
export const square = nativeOp("Square", { T: float });
export const rsqrt = nativeOp("Rsqrt", { T: float });
export const exp = nativeOp("Exp", { T: float });
export const erf = nativeOp("Erf", { T: float });
export const tanh = nativeOp("Tanh", { T: float });
export const tanhGradient = nativeOp("TanhGrad", { T: float });
export const sigmoid = nativeOp("Sigmoid", { T: float });
export const sigmoidGradient = nativeOp("SigmoidGrad", { T: float });
export const relu = nativeOp("Relu", { T: float });
export const reluGradient = nativeOp("ReluGrad", { T: float });
export const softmax = nativeOp("Softmax", { T: float });
export const logSoftmax = nativeOp("LogSoftmax", { T: float });

export const biasAdd = nativeOp("BiasAdd", { T: float, data_format: nhwc });
/** Sum over every axis but the last. */
export const biasAddGradient = nativeOp("BiasAddGrad", { T: float, data_format: nhwc });
export const sumKeepingAxis = nativeOp("Sum", { T: float, Tidx: int, keep_dims: true });
export const meanKeepingAxis = nativeOp("Mean", { T: float, Tidx: int, keep_dims: true });

export const reshape = nativeOp("Reshape", { T: float, Tshape: int });
export const transpose = nativeOp("Transpose", { T: float, Tperm: int });
export const unpackThree = nativeOpOf("Unpack", 3, { T: float, axis: 0, num: 3 });
export const packThree = nativeOp("Pack", { T: float, N: 3, axis: 0 });

export const gather = nativeOp("GatherV2", { Tparams: float, Tindices: int, Taxis: int, batch_dims: 0 });
export const unsortedSegmentSum = nativeOp("UnsortedSegmentSum", { T: float, Tindices: int, Tnumsegments: int });

/** `[loss, gradient]` of logits and integer labels, row by row. */
export const sparseSoftmaxCrossEntropy = nativeOpOf("SparseSoftmaxCrossEntropyWithLogits", 2, {
  T: float,
  Tlabels: int,
});

/** Random 32-bit words from (shape, seed pair): Philox, the same words for the same seeds. */
export const statelessWords = nativeOp("StatelessRandomUniformFullInt", { dtype: int, T: int, Tseed: int });
export const leftShift = nativeOp("LeftShift", { T: int });
export const greaterEqualInt = nativeOp("GreaterEqual", { T: int });
export const packTwoBool = nativeOp("Pack", { T: bool, N: 2, axis: 0 });
export const reshapeBool = nativeOp("Reshape", { T: bool, Tshape: int });
export const boolToFloat = nativeOp("Cast", { SrcT: bool, DstT: float, Truncate: false });
