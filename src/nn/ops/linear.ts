import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { checkRate, type Dropout, keep, keepMask, keepScale } from "../../tensor/dropout-mask.ts";
import { differentiable } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import {
  addBias,
  matMul,
  matMulTransposedA,
  matMulTransposedB,
  relu,
  reluGradient,
  sumOfColumns,
  times,
} from "../../tensor/primitives.ts";

function checkShapes(op: string, x: Tensor2D, weight: Tensor2D, bias: Tensor1D): void {
  const [, width] = x.shape;
  const [height, out] = weight.shape;
  if (x.rank === 2 && weight.rank === 2 && bias.rank === 1 && width === height && bias.shape[0] === out) return;
  const given = [x, weight, bias].map(({ shape }) => `[${shape.join(", ")}]`).join(", ");
  throw new ShapeError(`${op}: expected [rows, in], [in, out] and [out], got ${given}`);
}

/**
 * The affine map `x @ weight + bias`: `[rows, in]` and `[in, out]` give `[rows, out]`; the bias is `[out]`. PyTorch's weight is
 * the transpose.
 *
 * @throws ShapeError when the shapes do not fit
 */
export function linear(x: Tensor2D, weight: Tensor2D, bias: Tensor1D): Tensor2D {
  checkShapes("linear", x, weight, bias);
  return differentiable("linear", [x, weight, bias], {
    forward: (save) => {
      save([x, weight]);
      return addBias(matMul(x, weight), bias);
    },
    backward: (dy, [keptX, keptWeight]) => linearGradients(keptX!, keptWeight!, dy),
  }) as Tensor2D;
}

/**
 * `dropout(relu(x @ weight + bias))` as one op: `[rows, in]` and `[in, out]` give `[rows, out]`. Besides the inputs only its
 * result is saved for the gradient: where it is positive, the value passed the rectifier and was not dropped. Nothing is dropped
 * where `drop` is undefined.
 *
 * @throws ShapeError when the shapes do not fit; RangeError for a dropout rate outside [0, 1)
 */
export function linearRelu(x: Tensor2D, weight: Tensor2D, bias: Tensor1D, drop: Dropout | undefined): Tensor2D {
  checkShapes("linearRelu", x, weight, bias);
  checkRate("linearRelu", drop?.rate ?? 0);
  const active = drop && drop.rate > 0 ? drop : undefined;
  return differentiable("linearRelu", [x, weight, bias], {
    forward: (save) => {
      const positive = relu(addBias(matMul(x, weight), bias));
      const y = active ? times(keep(positive, keepMask(positive.shape, active)), keepScale(active)) : positive;
      save([x, weight, y]);
      return y;
    },
    backward: (dy, [keptX, keptWeight, y]) => {
      const dz = reluGradient(dy, y!);
      return linearGradients(keptX!, keptWeight!, active ? times(dz, keepScale(active)) : dz);
    },
  }) as Tensor2D;
}

function linearGradients(x: Tensor, weight: Tensor, dy: Tensor): (() => Tensor)[] {
  return [() => matMulTransposedB(dy, weight), () => matMulTransposedA(x, dy), () => sumOfColumns(dy)];
}
