// What the encoder and decoder layers of a Transformer have in common: their options and their parts.
import { checkPositiveInteger } from "../../base/checks.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { checkRate } from "../../tensor/dropout-mask.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import type { ApplyOptions } from "../layer.ts";
import { addWithDropout } from "../ops/add-with-dropout.ts";
import {
  type FeedForwardActivation,
  type FeedForwardParameters,
  hiddenLayer,
  type LayerNormParameters,
  type NormSettings,
  normalised,
} from "./feed-forward.ts";
import { affine, dropoutAt, type HeadSettings } from "./heads.ts";
import { type AttentionLinear, type HeadOptions, headSettings } from "./multi-head-attention.ts";
import { requireOptions } from "./tensor-layer.ts";

/** The options of a layer of a Transformer. */
export interface TransformerLayerOptions<F extends number = number> extends HeadOptions<F> {
  /** Width of the feed-forward part; 4 times `features` by default (in PyTorch 2048). */
  hidden?: number;
  /** Dropout rate of attention weights, after attention, inside and after the feed-forward part; 0.1 by default. */
  dropout?: number;
  /** Dropout rate of attention weights, where it is another one. */
  attentionDropout?: number;
  /** Dropout rate inside the feed-forward part, where it is another one. */
  activationDropout?: number;
  /** `"relu"` by default; `"geluTanh"` is GPT-2's approximation, `"swiGLU"` Llama's gated unit. */
  activation?: FeedForwardActivation;
  /** `"layerNorm"` by default. */
  norm?: "layerNorm" | "rmsNorm";
  /** Whether the norm comes before each part (Xiong et al. 2020) and not after its residual sum; false by default, as in PyTorch. */
  normFirst?: boolean;
  /** Added to a norm's variance; 1e-5 by default. */
  epsilon?: number;
}

/** A layer's options with their defaults. */
export interface TransformerLayerSettings extends HeadSettings, NormSettings {
  hidden: number;
  activation: FeedForwardActivation;
  /** The dropout rate inside the feed-forward part. */
  activationDropout: number;
  /** The dropout rate after each part. */
  residualDropout: number;
  normFirst: boolean;
}

const activations = ["relu", "gelu", "geluTanh", "swiGLU"];
const norms = ["layerNorm", "rmsNorm"];

/** The checked options. */
export function layerSettings(
  name: string,
  options: TransformerLayerOptions & { heads: number },
): TransformerLayerSettings {
  requireOptions(name, options);
  const { hidden = 4 * options.features, dropout = 0.1, activation = "relu", norm = "layerNorm" } = options;
  const { normFirst = false, bias = true, epsilon = 1e-5 } = options;
  const { attentionDropout = dropout, activationDropout = dropout } = options;
  const heads = headSettings(name, { ...options, dropout: attentionDropout });
  checkPositiveInteger(`${name}: hidden`, hidden);
  checkRate(name, dropout);
  checkRate(name, activationDropout);
  checkName(name, "activation", activations, activation);
  checkName(name, "norm", norms, norm);
  return {
    ...{ ...heads, hidden, activation, activationDropout, residualDropout: dropout },
    ...{ norm, normFirst, bias, epsilon },
  };
}

function checkName(name: string, option: string, known: readonly string[], given: string): void {
  if (!known.includes(given))
    throw new TypeError(`${name}: ${option} must be ${known.map((one) => `"${one}"`).join(", ")}, got "${given}"`);
}

/**
 * A part of a layer with its residual sum and its norm, before or after: `part` gives `[rows, in]`, which the affine map `last`
 * takes to `[rows, features]`. Without a norm there is only the sum.
 */
export function residual(
  x: AnyTensor,
  norm: LayerNormParameters | undefined,
  last: AttentionLinear,
  settings: TransformerLayerSettings,
  options: ApplyOptions,
  part: (x: AnyTensor) => AnyTensor,
): AnyTensor {
  const sum = () => {
    const made = tf.tidy(() => part(norm && settings.normFirst ? normalised(x, norm, settings) : x));
    return addWithDropout(x, affine(made, last), dropoutAt(settings.residualDropout, options));
  };
  return norm && !settings.normFirst ? tf.tidy(() => normalised(sum(), norm, settings)) : tf.tidy(sum);
}

/** The feed-forward part of a layer. */
export const feedForward = (
  x: AnyTensor,
  p: FeedForwardParameters & { feedForwardNorm: LayerNormParameters },
  settings: TransformerLayerSettings,
  options: ApplyOptions,
): AnyTensor =>
  profileScope("feedForward", () =>
    residual(x, p.feedForwardNorm, p.down, settings, options, (normed) => hiddenLayer(normed, p, settings, options)),
  );
