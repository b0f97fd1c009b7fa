// Layer norm and RMS norm: one op with its own gradient.
import { autocastType } from "../amp/index.ts";
import { storageOf, to } from "../storage/index.ts";
import { axisIndex } from "./axes.ts";
import { cast, checkTensor, differentiable, drop, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { inFloat32, toFloat32 } from "./half.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { addBias, meanOfRows, multiply, plus, rsqrt, square, subtract, sumOfColumns } from "./primitives.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * Layer normalization of `[..., features]`: mean 0 and variance 1 over the last axis, then times `weight` plus `bias`, both
 * `[features]` and optional (Ba, Kiros and Hinton 2016; `torch.nn.functional.layer_norm`). `epsilon`, 1e-5 by default, is added
 * to the variance.
 *
 * @throws ShapeError for a scalar, or a weight or bias that is not `[features]`
 */
export function layerNorm<T extends TensorOperand>(
  x: T,
  weight?: TensorOperand,
  bias?: TensorOperand,
  epsilon?: number,
): Tensor<ShapeOf<T>, "float32">;
export function layerNorm(x: AnyTensor, weight?: TensorOperand, bias?: TensorOperand, epsilon = 1e-5): AnyTensor {
  return normalize("layerNorm", x, { weight, bias, epsilon, centered: true });
}

/**
 * Root mean square normalization of `[..., features]`: root mean square 1 over the last axis, then times `weight`, `[features]`
 * and optional (Zhang and Sennrich 2019). `epsilon`, 1e-5 by default, is added to the mean square.
 *
 * @throws ShapeError for a scalar, or a weight that is not `[features]`
 */
export function rmsNorm<T extends TensorOperand>(
  x: T,
  weight?: TensorOperand,
  epsilon?: number,
): Tensor<ShapeOf<T>, "float32">;
export function rmsNorm(x: AnyTensor, weight?: TensorOperand, epsilon = 1e-5): AnyTensor {
  return normalize("rmsNorm", x, { weight, bias: undefined, epsilon, centered: false });
}

interface Normalization<T = AnyTensor> {
  weight: T | undefined;
  bias: T | undefined;
  epsilon: number;
  /** Whether the mean is subtracted first. */
  centered: boolean;
}

function normalize(op: string, x: AnyTensor, options: Normalization<TensorOperand>): AnyTensor {
  const { weight, bias, epsilon, centered } = options as Normalization;
  checkTensor(op, x);
  axisIndex(op, x, -1);
  checkFeatures(op, x, weight, "weight");
  checkFeatures(op, x, bias, "bias");
  const keptType = autocastType();
  const inputs = [x, weight, bias].filter((tensor) => tensor !== undefined);
  const compute = (input: AnyTensor, ...more: AnyTensor[]) => {
    const scale = weight && more.shift();
    return normalized(op, input, { weight: scale, bias: more[0], epsilon, centered }, keptType);
  };
  const computeCast = (...given: AnyTensor[]) => {
    if (given.every(({ dtype }) => dtype === "float32")) return compute(...(given as [AnyTensor]));
    return scoped(op, () => compute(...(given.map((tensor) => cast(tensor, "float32")) as [AnyTensor])));
  };
  return label(inFloat32(op, "float32", inputs, computeCast), namesOf(x));
}

/** Throws ShapeError for a weight or bias that does not have one number for each feature. */
function checkFeatures(op: string, x: AnyTensor, given: AnyTensor | undefined, what: string): void {
  if (given === undefined) return;
  checkTensor(op, given);
  const features = x.shape.at(-1)!;
  if (given.rank !== 1 || given.shape[0] !== features)
    throw new ShapeError(`${op}: the ${what} of ${shapeText(x)} must be [${features}], got ${shapeText(given)}`);
}

/** Saves for the gradient the normalized rows, in half precision under autocast, and the inverse deviation of each. */
function normalized(
  op: string,
  x: AnyTensor,
  { weight, bias, epsilon, centered }: Normalization,
  keptType: ReturnType<typeof autocastType>,
): AnyTensor {
  const inputs = [x, weight, bias].filter((tensor) => tensor !== undefined);
  return differentiable(op, inputs, {
    forward: (save) => {
      const off = centered ? subtract(x, meanOfRows(x)) : x;
      const inverse = scoped(op, () => rsqrt(plus(meanOfRows(square(off)), epsilon)));
      const normal = multiply(off, inverse);
      drop(off, x);
      const kept = keptType && storageOf(normal) === "float32" ? to(normal, keptType) : normal;
      save(weight ? [kept, inverse, weight] : [kept, inverse]);
      if (!weight) return bias ? addBias(normal, bias) : normal;
      const scaled = multiply(normal, weight);
      normal.dispose();
      return bias ? addBias(scaled, bias) : scaled;
    },
    backward: (dy, [kept, inverse, scale]) => {
      // Cast once, not in each of the ops that use it.
      const normal = toFloat32(kept!);
      const ofInput = () => {
        const dNormal = scale ? multiply(dy, scale) : dy;
        const along = scoped(op, () => meanOfRows(multiply(dNormal, normal)));
        const rest = centered ? subtract(dNormal, meanOfRows(dNormal)) : dNormal;
        if (rest !== dNormal) drop(dNormal, dy);
        const across = scoped(op, () => subtract(rest, multiply(normal, along)));
        drop(rest, dy);
        return multiply(across, inverse!);
      };
      const ofWeight = () => sumOfColumns(multiply(dy, normal));
      return [ofInput, ...(weight ? [ofWeight] : []), ...(bias ? [() => sumOfColumns(dy)] : [])];
    },
  });
}
