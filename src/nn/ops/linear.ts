import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { autocastType } from "../../amp/index.ts";
import { sizeOf } from "../../base/shape.ts";
import * as kernels from "../../runtime/native/kernels/index.ts";
import { storageOf } from "../../storage/index.ts";
import { seededDropout } from "../../tensor/dropout.ts";
import { checkRate, type Dropout, keep, keepMask, keepScale, maskOfKernel } from "../../tensor/dropout-mask.ts";
import { relu as activeRelu } from "../../tensor/elementwise.ts";
import { checkTensor, differentiable, needsGradient, sameShape, scoped } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { canFuse } from "../../tensor/fused.ts";
import type { IfMatmul, MatmulShape } from "../../tensor/matmul.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import {
  addBias,
  matMul,
  matMulTransposedA,
  matMulTransposedB,
  relu,
  reluGradient,
  reshape,
  sumOfColumns,
  times,
} from "../../tensor/primitives.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";

import { adapterOf, withAdapter } from "./adapter.ts";

function checkShapes(op: string, x: AnyTensor, weight: AnyTensor, bias: AnyTensor | undefined): void {
  const given = [x, weight, bias].filter((tensor) => tensor !== undefined);
  for (const tensor of given) checkTensor(op, tensor);
  const [height, out] = weight.shape;
  const isBias = bias === undefined || (bias.rank === 1 && bias.shape[0] === out);
  if (x.rank > 0 && weight.rank === 2 && x.shape.at(-1) === height && isBias) return;
  const expected = bias ? "[..., in], [in, out] and [out]" : "[..., in] and [in, out]";
  throw new ShapeError(`${op}: expected ${expected}, got ${given.map(shapeText).join(", ")}`);
}

/**
 * The affine map `x @ weight + bias`: `[..., in]` and `[in, out]` give `[..., out]`; the bias is `[out]` and optional. PyTorch's
 * weight is the transpose.
 *
 * @throws ShapeError when the shapes do not fit
 */
export function linear<X extends TensorOperand, W extends TensorOperand>(
  x: X,
  weight: IfMatmul<ShapeOf<X>, ShapeOf<W>, W, "linear">,
  bias?: TensorOperand,
): Tensor<MatmulShape<ShapeOf<X>, ShapeOf<W>>, "float32">;
export function linear(x: AnyTensor, weight: AnyTensor, offset?: TensorOperand): AnyTensor {
  const bias = offset as AnyTensor | undefined;
  checkShapes("linear", x, weight, bias);
  const adapter = adapterOf(weight);
  if (adapter)
    return scoped("linear", () =>
      withAdapter(
        x,
        adapter,
        (given, by) => linear(given, by as never) as AnyTensor,
        (own) => linear(x, own as never, bias) as AnyTensor,
      ),
    );
  const [width, out] = weight.shape as [number, number];
  const names = namesOf(x);
  const result = differentiable("linear", bias ? [x, weight, bias] : [x, weight], {
    forward: (save) => {
      const rows = shaped(x, [sizeOf(x.shape.slice(0, -1)), width]);
      save([needsGradient(weight) ? rows : undefined, needsGradient(x) ? weight : undefined]);
      const y = bias ? withBias(rows, weight, bias) : matMul(rows, weight);
      return shaped(y, [...x.shape.slice(0, -1), out]);
    },
    backward: (dy, [rows, keptWeight]) => {
      const [ofX, ...others] = gradients(rows!, keptWeight!, shaped(dy, [dy.size / out, out]));
      return [() => shaped(ofX!(), x.shape), ...others];
    },
  });
  return names ? label(result, names.with(-1, undefined)) : result;
}

const withBias = (x: AnyTensor, weight: AnyTensor, bias: AnyTensor): AnyTensor =>
  fuses(x, weight, bias)
    ? (kernels.productWithBias(x, weight, bias, false) as AnyTensor)
    : addBias(matMul(x, weight), bias);

/** May one kernel compute `x @ weight + bias`? */
function fuses(x: AnyTensor, weight: AnyTensor, bias: AnyTensor): boolean {
  if (!canFuse("any", x, weight) || !canFuse("float32", bias)) return false;
  const type = autocastType() ?? storageOf(x);
  // Autocast casts both.
  return (autocastType() !== undefined || storageOf(weight) === type) && kernels.isForKernel(type, x, weight);
}

/** The tensor itself when it has this shape. */
const shaped = (x: AnyTensor, shape: readonly number[]): AnyTensor =>
  sameShape(x.shape, shape) ? x : reshape(x, shape);

/**
 * `dropout(relu(x @ weight + bias))` as one op: `[rows, in]` and `[in, out]` give `[rows, out]`. Besides the inputs only its
 * result is saved for the gradient: where it is positive, the value passed the rectifier and was not dropped. Nothing is dropped
 * where `drop` is undefined.
 *
 * @throws ShapeError when the shapes do not fit; RangeError for a dropout rate outside [0, 1)
 */
export function linearRelu(x: Tensor2D, weight: Tensor2D, bias: Tensor1D, drop: Dropout | undefined): Tensor2D {
  if (x.rank !== 2) throw new ShapeError(`linearRelu: expected [rows, in], got ${shapeText(x as AnyTensor)}`);
  checkShapes("linearRelu", x as AnyTensor, weight as AnyTensor, bias as AnyTensor);
  checkRate("linearRelu", drop?.rate ?? 0);
  const active = drop && drop.rate > 0 ? drop : undefined;
  if (adapterOf(weight as AnyTensor)) {
    const positive = () => activeRelu(linear(x as AnyTensor, weight as never, bias as TensorOperand) as AnyTensor);
    return scoped("linearRelu", () => seededDropout(positive(), active)) as Tensor2D;
  }
  return differentiable("linearRelu", [x, weight, bias] as AnyTensor[], {
    forward: (save) => {
      const y = dropoutOfRelu(x as AnyTensor, weight as AnyTensor, bias as AnyTensor, active);
      save([needsGradient(weight as AnyTensor) ? (x as AnyTensor) : undefined, weight as AnyTensor, y]);
      return y;
    },
    backward: (dy, [keptX, keptWeight, y]) => {
      if (canFuse("any", dy, y!) && storageOf(dy) === storageOf(y!))
        return gradients(keptX!, keptWeight!, kernels.reluGradient(dy, y!, maskOfKernel(active)) as AnyTensor);
      const dz = reluGradient(dy, y!);
      return gradients(keptX!, keptWeight!, active ? times(dz, keepScale(active)) : dz);
    },
  }) as Tensor2D;
}

function dropoutOfRelu(x: AnyTensor, weight: AnyTensor, bias: AnyTensor, drop: Dropout | undefined): AnyTensor {
  if (!drop && fuses(x, weight, bias)) return kernels.productWithBias(x, weight, bias, true) as AnyTensor;
  const product = matMul(x, weight);
  if (canFuse("any", product) && canFuse("float32", bias))
    return kernels.activation(product, "relu", { bias, mask: maskOfKernel(drop) }) as AnyTensor;
  const positive = relu(addBias(product, bias));
  return drop ? times(keep(positive, keepMask(positive.shape, drop)), keepScale(drop)) : positive;
}

function gradients(x: AnyTensor, weight: AnyTensor, dy: AnyTensor): (() => AnyTensor)[] {
  return [() => matMulTransposedB(dy, weight), () => matMulTransposedA(x, dy), () => sumOfColumns(dy)];
}
