// The position-wise feed-forward part of a Transformer layer, and its norm.
import type { Random } from "../../data/random.ts";
import { activated } from "../../tensor/activated.ts";
import { mul } from "../../tensor/arithmetic.ts";
import { exactGelu, tanhGelu } from "../../tensor/curves.ts";
import { seededDropout } from "../../tensor/dropout.ts";
import { relu } from "../../tensor/elementwise.ts";
import { layerNorm, rmsNorm } from "../../tensor/normalize.ts";
import { silu } from "../../tensor/silu.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { affineParameters, type Parameter, parameter } from "../initialisers.ts";
import type { ApplyOptions } from "../layer.ts";
import { linearRelu } from "../ops/linear.ts";
import { affine, dropoutAt } from "./heads.ts";
import type { AttentionLinear } from "./multi-head-attention.ts";

/** The activation of a feed-forward part; `"swiGLU"` multiplies by a gate (Shazeer 2020). */
export type FeedForwardActivation = "relu" | "gelu" | "geluTanh" | "swiGLU";

/** `scale` and, in a layer norm with a bias, `offset`: `[features]`. */
export interface LayerNormParameters {
  scale: Parameter<[number]>;
  offset?: Parameter<[number]>;
}

/** The parameters of a feed-forward part. */
export interface FeedForwardParameters {
  /** `[features, hidden]` */
  up: AttentionLinear;
  /** Of swiGLU: `[features, hidden]`. */
  gate?: AttentionLinear;
  /** `[hidden, features]` */
  down: AttentionLinear;
}

/** `x: [rows, features]` through the hidden layer; `[rows, features]` follow with `down`. */
export function hiddenLayer(
  x: AnyTensor,
  p: FeedForwardParameters,
  { activation, activationDropout }: { activation: FeedForwardActivation; activationDropout: number },
  options: ApplyOptions,
): AnyTensor {
  const { weight, bias } = p.up;
  if (activation === "relu" && bias)
    return linearRelu(x as never, weight as never, bias as never, dropoutAt(activationDropout, options)) as AnyTensor;
  const up = affine(x, p.up);
  const drop = dropoutAt(activationDropout, options);
  if (activation === "gelu" || activation === "geluTanh")
    return activated("gelu", up, activation === "gelu" ? exactGelu : tanhGelu, drop);
  const active = activation === "swiGLU" ? mul(silu(affine(x, p.gate!)), up) : relu(up);
  return seededDropout(active as AnyTensor, drop);
}

/** PyTorch's `nn.Linear`: weight and bias uniform within `1 / sqrt(in)`. */
export const fromFanIn = (rng: Random, size: number, out: number, bias = true): AttentionLinear =>
  affineParameters<[number, number]>("linear", [size, out], out, 1 / Math.sqrt(size), { bias }, rng);

/** New parameters of a feed-forward part, drawn in the order of PyTorch's layer. */
export const feedForwardParameters = (
  { features, hidden, bias, activation }: FeedForwardSettings,
  rng: Random,
): FeedForwardParameters => ({
  up: fromFanIn(rng, features, hidden, bias),
  ...(activation === "swiGLU" && { gate: fromFanIn(rng, features, hidden, bias) }),
  down: fromFanIn(rng, hidden, features, bias),
});

/** The sizes of a feed-forward part. */
interface FeedForwardSettings {
  features: number;
  hidden: number;
  bias: boolean;
  activation: FeedForwardActivation;
}

/** Which norm, and whether it has an offset. */
export interface NormSettings {
  norm: "layerNorm" | "rmsNorm";
  bias: boolean;
  epsilon: number;
}

export function normParameters(
  features: number,
  { norm, bias }: Pick<NormSettings, "norm" | "bias">,
): LayerNormParameters {
  const scale = parameter<[number]>("scale", 1, [features]);
  return norm === "layerNorm" && bias ? { scale, offset: parameter<[number]>("offset", 0, [features]) } : { scale };
}

export const normalised = (
  x: AnyTensor,
  p: LayerNormParameters,
  { norm, epsilon }: Pick<NormSettings, "norm" | "epsilon">,
): AnyTensor =>
  (norm === "rmsNorm" ? rmsNorm(x, p.scale, epsilon) : layerNorm(x, p.scale, p.offset, epsilon)) as AnyTensor;
