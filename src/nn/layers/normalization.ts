import { checkPositiveInteger } from "../../base/checks.ts";
import { layerNorm as layerNormOp, rmsNorm as rmsNormOp } from "../../tensor/normalize.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { type Parameter, parameter } from "../initialisers.ts";
import type { Features } from "./shape-rule.ts";
import { areOptions, checkLastAxis, type TensorLayer, tensorLayer } from "./tensor-layer.ts";

/** The options of the layers `layerNorm` and `rmsNorm`. */
export interface NormOptions<F extends number = number> {
  /** The size of the last axis. */
  features: F;
  /** Added to the variance, or to the mean square; 1e-5 by default. */
  epsilon?: number;
}

/** The parameters of a norm: `scale: [features]`, at first 1, and `offset: [features]`, at first 0. */
export interface NormParameters<F extends number = number> {
  scale: Parameter<[F]>;
  offset: Parameter<[F]>;
}

/** A layer norm: `[..., features]`. */
export type LayerNorm<F extends number> = TensorLayer<NormParameters<F>, Features<"layerNorm", F, F>>;

/** A root mean square norm: `[..., features]`. */
export type RmsNorm<F extends number> = TensorLayer<Pick<NormParameters<F>, "scale">, Features<"rmsNorm", F, F>>;

/**
 * A layer norm, `layerNorm({ features: 64 })`: mean 0 and variance 1 over the last axis of `[..., features]`, times `scale` plus
 * `offset`, both `[features]` (Ba, Kiros and Hinton 2016; `torch.nn.LayerNorm`).
 *
 * @throws RangeError when `features` is not a positive integer; ShapeError for another number of features
 */
export function layerNorm<const F extends number>(options: NormOptions<F>): LayerNorm<F>;
/**
 * Layer normalization of `[..., features]`: mean 0 and variance 1 over the last axis, then times `weight` plus `bias`, both
 * `[features]` and optional (`torch.nn.functional.layer_norm`). `epsilon`, 1e-5 by default, is added to the variance.
 *
 * @throws ShapeError for a scalar, or a weight or bias that is not `[features]`; RangeError from the layer of the same name
 */
export function layerNorm<T extends TensorOperand>(
  x: T,
  weight?: TensorOperand,
  bias?: TensorOperand,
  epsilon?: number,
): Tensor<ShapeOf<T>, "float32">;
export function layerNorm(...args: [NormOptions] | Parameters<typeof layerNormOp>): unknown {
  if (!areOptions("layerNorm", args)) return layerNormOp(...(args as Parameters<typeof layerNormOp>));
  const { features, epsilon } = args[0] as NormOptions;
  checkPositiveInteger("layerNorm: features", features);
  const parameters: NormParameters = { scale: ones("layerNorm", features), offset: zeros("layerNorm", features) };
  return tensorLayer({
    name: "layerNorm",
    settings: { features, ...(epsilon !== undefined && { epsilon }) },
    parameters,
    apply: (p, x) => {
      checkLastAxis("layerNorm", x, features);
      return layerNormOp(x, p.scale, p.offset, epsilon) as AnyTensor;
    },
  });
}

/**
 * A root mean square norm, `rmsNorm({ features: 64 })`: root mean square 1 over the last axis of `[..., features]`, times
 * `scale: [features]` (Zhang and Sennrich 2019; `torch.nn.RMSNorm`).
 *
 * @throws RangeError when `features` is not a positive integer; ShapeError for another number of features
 */
export function rmsNorm<const F extends number>(options: NormOptions<F>): RmsNorm<F>;
/**
 * Root mean square normalization of `[..., features]`: root mean square 1 over the last axis, then times `weight`, `[features]`
 * and optional. `epsilon`, 1e-5 by default, is added to the mean square.
 *
 * @throws ShapeError for a scalar, or a weight that is not `[features]`; RangeError from the layer of the same name
 */
export function rmsNorm<T extends TensorOperand>(
  x: T,
  weight?: TensorOperand,
  epsilon?: number,
): Tensor<ShapeOf<T>, "float32">;
export function rmsNorm(...args: [NormOptions] | Parameters<typeof rmsNormOp>): unknown {
  if (!areOptions("rmsNorm", args)) return rmsNormOp(...(args as Parameters<typeof rmsNormOp>));
  const { features, epsilon } = args[0] as NormOptions;
  checkPositiveInteger("rmsNorm: features", features);
  return tensorLayer({
    name: "rmsNorm",
    settings: { features, ...(epsilon !== undefined && { epsilon }) },
    parameters: { scale: ones("rmsNorm", features) },
    apply: (p, x) => {
      checkLastAxis("rmsNorm", x, features);
      return rmsNormOp(x, p.scale, epsilon) as AnyTensor;
    },
  });
}

const ones = (name: string, features: number) => parameter<[number]>(`${name}: scale`, 1, [features]);
const zeros = (name: string, features: number) => parameter<[number]>(`${name}: offset`, 0, [features]);
