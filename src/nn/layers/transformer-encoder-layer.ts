import type { Random } from "../../data/random.ts";
import { defineSummary } from "../../display/define-summary.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { label, namesOf } from "../../tensor/names.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { type Parameter, randomFor } from "../initialisers.ts";
import type { ApplyOptions } from "../layer.ts";
import { markPure } from "../pure.ts";
import { attentionCondition, checkPositions } from "./attention-condition.ts";
import {
  type FeedForwardParameters,
  feedForwardParameters,
  type LayerNormParameters,
  normParameters,
} from "./feed-forward.ts";
import { affine, selfAttention, type TokenRows } from "./heads.ts";
import {
  type AttentionInput,
  type AttentionLinear,
  type DividingHeads,
  outputProjection,
  selfProjection,
} from "./multi-head-attention.ts";
import type { Features } from "./shape-rule.ts";
import { checkSequences, summaryOf, type TensorLayer } from "./tensor-layer.ts";
import {
  feedForward,
  layerSettings,
  residual,
  type TransformerLayerOptions,
  type TransformerLayerSettings,
} from "./transformer-layer.ts";

/** The parameters of a Transformer encoder layer. */
export interface TransformerEncoderLayerParameters extends FeedForwardParameters {
  attentionNorm: LayerNormParameters;
  /** Queries, keys and values side by side: `[features, (heads + 2 * keyValueHeads) * features / heads]`. */
  projection: AttentionLinear;
  /** `[features, features]` */
  attentionOutput: AttentionLinear;
  feedForwardNorm: LayerNormParameters;
  /** `[size]`: the scales of RMS norms of each head's queries and keys, where a pretrained model has them. */
  queryNorm?: Parameter<[number]>;
  keyNorm?: Parameter<[number]>;
}

/** A Transformer encoder layer: `[batch, time, features]`. */
export interface TransformerEncoderLayer<F extends number = number>
  extends TensorLayer<TransformerEncoderLayerParameters, Features<"transformerEncoderLayer", F, F>> {
  apply: (<T extends TensorOperand>(
    parameters: TransformerEncoderLayerParameters,
    input: Omit<AttentionInput<T>, "context">,
    options?: ApplyOptions,
  ) => Tensor<ShapeOf<T>, "float32">) &
    TensorLayer<TransformerEncoderLayerParameters, Features<"transformerEncoderLayer", F, F>>["apply"];
}

/**
 * Self-attention and a feed-forward part, each with a residual sum, dropout and a norm,
 * `transformerEncoderLayer({ features: 64, heads: 4 })`: `[batch, time, features]` gives the same shape
 * (`torch.nn.TransformerEncoderLayer`, with its initial values). With `causal: true` it is the layer of a language model.
 *
 * @throws RangeError when a size is not a positive integer, the heads do not divide, or the dropout rate is outside [0, 1);
 *   TypeError for an unknown activation or norm, or when `from` is neither a seed nor a generator; ShapeError from `apply`
 */
export function transformerEncoderLayer<const F extends number, const H extends number>(
  options: TransformerLayerOptions<F> & { heads: DividingHeads<"transformerEncoderLayer", F, H> },
): TransformerEncoderLayer<F>;
export function transformerEncoderLayer(options: TransformerLayerOptions & { heads: number }): TransformerEncoderLayer {
  const name = "transformerEncoderLayer";
  const settings = layerSettings(name, options);
  const { features, heads } = settings;
  const parameters = encoderLayerParameters(settings, randomFor(options.from));
  const apply = (p: TransformerEncoderLayerParameters, input: AnyTensor | AttentionInput, own: ApplyOptions = {}) => {
    const given = (input instanceof tf.Tensor ? { x: input } : input) as AttentionInput<AnyTensor>;
    checkSequences(name, given.x, features);
    const [rows, time] = given.x.shape as [number, number, number];
    const run = () => {
      const keys = (given.cache?.length ?? 0) + time;
      const mask = attentionCondition(name, given, { rows, heads, time, keys, causal: options.causal ?? false });
      const place = {
        rows,
        time,
        mask,
        cache: given.cache,
        positions: checkPositions(name, given.positions, rows, time),
      };
      const flat = tf.reshape(given.x, [rows * time, features]) as AnyTensor;
      return tf.reshape(encoderLayer(flat, p, settings, place, own), [rows, time, features]) as AnyTensor;
    };
    return label(
      profileScope(name, () => tf.tidy(name, run)),
      namesOf(given.x),
    );
  };
  const shown = { features, heads, hidden: settings.hidden, activation: settings.activation };
  return defineSummary({ parameters, apply: markPure(apply) }, () => summaryOf(name, shown, parameters)) as never;
}

/** New parameters, drawn in the order of PyTorch's layer. */
export function encoderLayerParameters(
  settings: TransformerLayerSettings,
  rng: Random,
): TransformerEncoderLayerParameters {
  const { features, bias } = settings;
  return {
    attentionNorm: normParameters(features, settings),
    projection: selfProjection(settings, bias, rng),
    attentionOutput: outputProjection(features, bias, rng),
    feedForwardNorm: normParameters(features, settings),
    ...feedForwardParameters(settings, rng),
  };
}

/** The layer on rows of tokens, `[rows * time, features]`. */
export const encoderLayer = (
  x: AnyTensor,
  p: TransformerEncoderLayerParameters,
  settings: TransformerLayerSettings,
  place: TokenRows,
  options: ApplyOptions,
): AnyTensor => feedForward(attentionPart(x, p, settings, place, options), p, settings, options);

/** The parameters of the first half of the layer. */
type AttentionPartParameters = Pick<
  TransformerEncoderLayerParameters,
  "projection" | "attentionOutput" | "queryNorm" | "keyNorm"
> & { attentionNorm?: LayerNormParameters | undefined };

/** The first half of the layer. Without a norm it has the sum only. */
export function attentionPart(
  x: AnyTensor,
  p: AttentionPartParameters,
  settings: TransformerLayerSettings,
  place: TokenRows,
  options: ApplyOptions,
): AnyTensor {
  const { queryNorm: query, keyNorm: key } = p;
  const norms = query && key && { query, key, epsilon: settings.epsilon };
  return profileScope("attention", () =>
    residual(x, p.attentionNorm, p.attentionOutput, settings, options, (normed) =>
      selfAttention(affine(normed, p.projection), settings, place, options, norms),
    ),
  );
}
