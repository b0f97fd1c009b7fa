// Layer norm and RMS norm: one op with its own gradient.
import { autocastType } from "../amp/index.ts";
import { promoted, type Storage } from "../runtime/index.ts";
import * as kernels from "../runtime/native/kernels/index.ts";
import { storageOf, to } from "../storage/index.ts";
import { axisIndex } from "./axes.ts";
import { cast, checkTensor, differentiable, drop, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { canFuse, mayFuse } from "./fused.ts";
import { inFloat32, isHalf, toFloat32 } from "./half.ts";
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
  if (inputs.some(isHalf) && mayFuse("any", ...inputs)) {
    const result = keptType ? "float32" : inputs.map(storageOf).reduce(promoted);
    return label(normalized(op, x, { weight, bias, epsilon, centered }, { result }), namesOf(x));
  }
  const compute = (input: AnyTensor, ...more: AnyTensor[]) => {
    const scale = weight && more.shift();
    return normalized(op, input, { weight: scale, bias: more[0], epsilon, centered }, { autocastTo: keptType });
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

interface Types {
  /** The storage of the result where a kernel computes it. */
  result?: Storage;
  autocastTo?: Storage | undefined;
}

/**
 * Saves for the gradient the input and the statistics of each row: the inverse of its deviation and, of a layer norm, its mean.
 * Under autocast the normalized rows in half precision are saved instead of the input.
 */
function normalized(op: string, x: AnyTensor, normalization: Normalization, { result, autocastTo }: Types): AnyTensor {
  const { weight, bias, epsilon, centered } = normalization;
  const inputs = [x, weight, bias].filter((tensor) => tensor !== undefined);
  const halfType = storageOf(x) === "float32" ? autocastTo : undefined;
  return differentiable(op, inputs, {
    forward: (save) => {
      const options = {
        scale: weight,
        offset: bias,
        centred: centered,
        epsilon,
        result: result ?? "float32",
        kept: halfType,
      };
      const { y, inverse, mean, kept } = canFuse("any", ...inputs)
        ? (kernels.norm(x, options) as Normalized)
        : separately(op, x, normalization, { result, halfType });
      save([kept ?? x, inverse, kept ? undefined : mean, weight].filter((tensor) => tensor !== undefined));
      return y;
    },
    backward: (dy, [source, inverse, ...rest]) => {
      const mean = centered && !halfType ? rest.shift() : undefined;
      const saved = { source: source!, inverse: inverse!, mean, scale: rest[0] };
      if (!canFuse("any", dy, source!, inverse!, ...rest))
        return gradientsOf(op, dy, saved, { centered, normalized: halfType !== undefined }, bias);
      const options = { ...saved, centred: centered, normalized: halfType !== undefined, input: storageOf(x) };
      const [dx, dWeight, dBias] = kernels.normGradients(dy, source!, options) as [AnyTensor, AnyTensor, AnyTensor];
      return [() => dx, ...(weight ? [() => dWeight] : []), ...(bias ? [() => dBias] : [])];
    },
  });
}

interface Normalized {
  y: AnyTensor;
  inverse: AnyTensor;
  mean: AnyTensor | undefined;
  /** The normalized rows in half precision. */
  kept: AnyTensor | undefined;
}

function separately(
  op: string,
  given: AnyTensor,
  { epsilon, centered, ...affine }: Normalization,
  { result, halfType }: { result: Storage | undefined; halfType: Storage | undefined },
): Normalized {
  const x = toFloat32(given);
  const weight = affine.weight && toFloat32(affine.weight);
  const bias = affine.bias && toFloat32(affine.bias);
  const mean = centered ? meanOfRows(x) : undefined;
  const off = mean ? subtract(x, mean) : x;
  const inverse = scoped(op, () => rsqrt(plus(meanOfRows(square(off)), epsilon)));
  const normal = multiply(off, inverse);
  drop(off, x);
  const kept = halfType && to(normal, halfType);
  const scaled = weight ? multiply(normal, weight) : normal;
  drop(normal, scaled);
  const y = bias ? addBias(scaled, bias) : scaled;
  return { y: result ? to(y, result) : y, inverse, mean, kept };
}

interface Saved {
  /** The input, or the normalized rows. */
  source: AnyTensor;
  inverse: AnyTensor;
  mean: AnyTensor | undefined;
  scale: AnyTensor | undefined;
}

function gradientsOf(
  op: string,
  given: AnyTensor,
  { inverse, mean, ...saved }: Saved,
  { centered, normalized }: { centered: boolean; normalized: boolean },
  bias: AnyTensor | undefined,
): (() => AnyTensor)[] {
  // Once, and not in each of the gradients that use it.
  const dy = toFloat32(given);
  const source = toFloat32(saved.source);
  const scale = saved.scale && toFloat32(saved.scale);
  const normal = normalized ? source : scoped(op, () => multiply(mean ? subtract(source, mean) : source, inverse));
  const ofInput = () => {
    const dNormal = scale ? multiply(dy, scale) : dy;
    const along = scoped(op, () => meanOfRows(multiply(dNormal, normal)));
    const rest = centered ? subtract(dNormal, meanOfRows(dNormal)) : dNormal;
    if (rest !== dNormal) drop(dNormal, dy);
    const across = scoped(op, () => subtract(rest, multiply(normal, along)));
    drop(rest, dy);
    return multiply(across, inverse);
  };
  const ofWeight = () => sumOfColumns(multiply(dy, normal));
  return [ofInput, ...(scale ? [ofWeight] : []), ...(bias ? [() => sumOfColumns(dy)] : [])];
}
