import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../../runtime/index.ts";
import { isNative, scalar } from "../../runtime/native/op.ts";
import {
  biasAdd,
  biasAddGradient,
  matMul,
  matMulTransposedA,
  matMulTransposedB,
  multiply,
  relu,
  reluGradient,
} from "../../runtime/native/primitives.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { differentiable } from "../differentiable.ts";
import { type Dropout, dropout, keep, keepMask, keepScale } from "./dropout.ts";

function checkShapes(op: string, x: Tensor2D, weight: Tensor2D, bias: Tensor1D): void {
  const [, width] = x.shape;
  const [height, out] = weight.shape;
  if (x.rank === 2 && weight.rank === 2 && bias.rank === 1 && width === height && bias.shape[0] === out) return;
  const given = [x, weight, bias].map(({ shape }) => `[${shape.join(", ")}]`).join(", ");
  throw new ShapeError(`${op}: expected [rows, in], [in, out] and [out], got ${given}`);
}

/** `x @ weight + bias`: `[rows, in]` by `[in, out]` to `[rows, out]`. */
export function linear(x: Tensor2D, weight: Tensor2D, bias: Tensor1D): Tensor2D {
  checkShapes("linear", x, weight, bias);
  if (!isNative()) return tf.add(tf.matMul(x, weight), bias);
  return differentiable(
    [x, weight, bias],
    (save) => {
      save(x, weight);
      return biasAdd(matMul(x, weight), bias);
    },
    (dy, [savedX, savedWeight]) => linearGradients(savedX!, savedWeight!, dy),
  ) as Tensor2D;
}

/**
 * `dropout(relu(x @ weight + bias))` as one op. Only its result is kept for the gradient: where that is positive, the
 * value passed the rectifier and was not dropped.
 */
export function linearRelu(x: Tensor2D, weight: Tensor2D, bias: Tensor1D, drop: Dropout | undefined): Tensor2D {
  checkShapes("linearRelu", x, weight, bias);
  if (!isNative()) return dropout(tf.relu(tf.add(tf.matMul(x, weight), bias)) as Tensor2D, drop);
  const active = drop && drop.rate > 0 ? drop : undefined;
  return differentiable(
    [x, weight, bias],
    (save) => {
      const positive = relu(biasAdd(matMul(x, weight), bias));
      const y = active
        ? multiply(keep(positive, keepMask(positive.shape, active)), scalar(keepScale(active)))
        : positive;
      save(x, weight, y);
      return y;
    },
    (dy, [savedX, savedWeight, y]) => {
      const dz = reluGradient(dy, y!);
      return linearGradients(savedX!, savedWeight!, active ? multiply(dz, scalar(keepScale(active))) : dz);
    },
  ) as Tensor2D;
}

function linearGradients(x: Tensor, weight: Tensor, dy: Tensor): [Tensor, Tensor, Tensor] {
  return [matMulTransposedB(dy, weight), matMulTransposedA(x, dy), biasAddGradient(dy)];
}
