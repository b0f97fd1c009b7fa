// The arithmetic of ops that have their own gradient. Each function is one op of TensorFlow, called directly, where
// TensorFlow runs and no tape records; else a registered kernel, which works on every backend and can be recorded for a
// gradient of the gradient.
import { autocastType } from "../amp/index.ts";
import { nativeStorageOf } from "../runtime/index.ts";
import { isBatching } from "../runtime/levels.ts";
import { integers, scalar } from "../runtime/native/constants.ts";
import { biasAdd, columnSums, hasKernels } from "../runtime/native/kernels/index.ts";
import { isNative } from "../runtime/native/op.ts";
import * as native from "../runtime/native/primitives.ts";
import { cast, isTaping, reduceOver, reshapeTo, run, scalarOf } from "./engine.ts";
import { asStored } from "./half.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** Is what an op computes neither recorded by a tape nor batched? Always so in its forward pass outside of vmap. */
export const isUnrecorded = (): boolean => !isTaping() && !isBatching();

/** May TensorFlow's ops be called past tfjs, which then neither records nor batches them? */
export const isDirect = (): boolean => isNative() && isUnrecorded();

type Unary = (x: AnyTensor) => AnyTensor;
type Binary = (a: AnyTensor, b: AnyTensor) => AnyTensor;

const unary =
  (op: Unary, kernel: string): Unary =>
  (x) =>
    isDirect() ? op(x) : run(kernel, { x });
const binary =
  (op: Binary, kernel: string): Binary =>
  (a, b) =>
    isDirect() ? op(a, b) : run(kernel, { a, b });

export const add = binary(native.add, "Add");
export const subtract = binary(native.subtract, "Sub");
export const multiply = binary(native.multiply, "Multiply");
export const square = unary(native.square, "Square");
export const rsqrt = unary(native.rsqrt, "Rsqrt");
export const exp = unary(native.exp, "Exp");
export const relu = unary(native.relu, "Relu");
export const tanh = unary(native.tanh, "Tanh");
export const sigmoid = unary(native.sigmoid, "Sigmoid");

const plainErf = unary(native.erf, "Erf");
/** TensorFlow's kernel for doubles gives NaN at infinity; erf(30) is 1. */
export const erf: Unary = (x) =>
  plainErf(nativeStorageOf(x) === "float64" ? run("ClipByValue", { x }, { clipValueMin: -30, clipValueMax: 30 }) : x);

/** dy where y, a rectifier's result, is positive; 0 elsewhere. */
export const reluGradient = (dy: AnyTensor, y: AnyTensor): AnyTensor =>
  isDirect()
    ? native.reluGradient(dy, y)
    : run("Multiply", { a: dy, b: cast(run("Step", { x: y }, { alpha: 0 }), "float32") });

const product =
  (op: Binary, transposeA: boolean, transposeB: boolean): Binary =>
  (a, b) =>
    isDirect() ? op(a, b) : run("BatchMatMul", { a, b }, { transposeA, transposeB });

export const matMul = product(native.matMul, false, false);
export const matMulTransposedA = product(native.matMulTransposedA, true, false);
export const matMulTransposedB = product(native.matMulTransposedB, false, true);
export const batchMatMul = product(native.batchMatMul, false, false);
export const batchMatMulTransposedA = product(native.batchMatMulTransposedA, true, false);
export const batchMatMulTransposedB = product(native.batchMatMulTransposedB, false, true);

/** With the shape on the device already, which takes half of the time. */
export const reshape = (x: AnyTensor, shape: readonly number[]): AnyTensor =>
  isDirect() ? native.reshape(x, integers(...shape)) : reshapeTo(x, shape);

export const transpose = (x: AnyTensor, perm: readonly number[]): AnyTensor =>
  isDirect() ? native.transpose(x, integers(...perm)) : run("Transpose", { x }, { perm });

/** The three parts along the first axis, and what joins them again. */
export const unpackThree = (x: AnyTensor): AnyTensor[] =>
  isDirect() ? native.unpackThree(x) : (run("Unpack", { value: x }, { axis: 0 }) as unknown as AnyTensor[]);
export const packThree = (...parts: [AnyTensor, AnyTensor, AnyTensor]): AnyTensor =>
  isDirect() ? native.packThree(...parts) : run("Pack", parts as unknown as Record<string, AnyTensor>, { axis: 0 });

/** The softmax over the last axis. */
export const softmaxOfRows = (logits: AnyTensor): AnyTensor =>
  isDirect() ? native.softmax(logits) : run("Softmax", { logits }, { dim: logits.rank - 1 });

/** Tensor times number. */
export const times = (x: AnyTensor, factor: number): AnyTensor =>
  isDirect() ? native.multiply(x, scalar(factor)) : run("Multiply", { a: x, b: scalarOf(factor, "float32") });

/** Tensor plus number. */
export const plus = (x: AnyTensor, term: number): AnyTensor =>
  isDirect() ? native.add(x, scalar(term)) : run("Add", { a: x, b: scalarOf(term, "float32") });

const lastAxis = (x: AnyTensor): number[] => [x.rank - 1];

/** The mean over the last axis, which stays with size 1. */
export const meanOfRows = (x: AnyTensor): AnyTensor =>
  isDirect() ? native.meanKeepingAxis(x, integers(x.rank - 1)) : reduceOver("Mean", x, lastAxis(x), true);

/** The sum over the last axis, which stays with size 1. */
export const sumOfRows = (x: AnyTensor): AnyTensor =>
  isDirect() ? native.sumKeepingAxis(x, integers(x.rank - 1)) : reduceOver("Sum", x, lastAxis(x), true);

/** A vector added to every row. The result is a half where `x` is one, whatever the vector is. */
export function addBias(x: AnyTensor, bias: AnyTensor): AnyTensor {
  if (!isDirect() || x.rank < 2) return run("Add", { a: x, b: asStored(bias, x) });
  // TensorFlow's op would add a half copy of the bias.
  const isCast = hasKernels() && nativeStorageOf(x) === autocastType() && nativeStorageOf(bias) === "float32";
  return isCast ? (biasAdd(x, bias) as AnyTensor) : native.biasAdd(x, bias);
}

/** The sum over every axis but the last. */
export function sumOfColumns(x: AnyTensor): AnyTensor {
  if (!isDirect() || x.rank < 2) return reduceOver("Sum", x, [...Array(Math.max(0, x.rank - 1)).keys()]);
  // TensorFlow's op would sum a float32 copy of a half.
  return hasKernels() && nativeStorageOf(x) !== "float64" ? columnSums(x) : native.biasAddGradient(x);
}
