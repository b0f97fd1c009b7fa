import type { Random } from "../../data/random.ts";
import { defineSummary } from "../../display/define-summary.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { label, namesOf } from "../../tensor/names.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { randomFor } from "../initialisers.ts";
import type { ApplyOptions, Layer } from "../layer.ts";
import { markPure } from "../pure.ts";
import { attentionCondition, checkPositions } from "./attention-condition.ts";
import { feedForwardParameters, type LayerNormParameters, normParameters } from "./feed-forward.ts";
import { affine, crossAttention, selfAttention, type TokenRows } from "./heads.ts";
import {
  type AttentionLinear,
  crossProjections,
  type DividingHeads,
  outputProjection,
  selfProjection,
} from "./multi-head-attention.ts";
import { checkSequences, summaryOf } from "./tensor-layer.ts";
import type { TransformerEncoderLayerParameters } from "./transformer-encoder-layer.ts";
import {
  feedForward,
  layerSettings,
  residual,
  type TransformerLayerOptions,
  type TransformerLayerSettings,
} from "./transformer-layer.ts";

/** The parameters of a Transformer decoder layer. */
export interface TransformerDecoderLayerParameters extends TransformerEncoderLayerParameters {
  crossNorm: LayerNormParameters;
  /** `[features, features]` */
  crossQuery: AttentionLinear;
  /** Keys and values of the memory side by side: `[crossFeatures, 2 * keyValueHeads * features / heads]`. */
  crossKeyValue: AttentionLinear;
  /** `[features, features]` */
  crossOutput: AttentionLinear;
}

/** What a decoder layer takes. */
export interface DecoderInput<T = TensorOperand> {
  /** The target sequences, `[batch, time, features]`. */
  x: T;
  /** The encoder's result, `[batch, keys, crossFeatures]`. */
  memory: TensorOperand;
  /** A condition or a bias among the targets, which broadcasts to `[batch, heads, time, time]`. */
  mask?: TensorOperand | undefined;
  /** Which targets are tokens, `[batch, time]`, bool or int32: true or 1 for a token. */
  keyPadding?: TensorOperand | undefined;
  /** A condition or a bias that broadcasts to `[batch, heads, time, keys]`. */
  memoryMask?: TensorOperand | undefined;
  /** Which positions of the memory are tokens, `[batch, keys]`. */
  memoryKeyPadding?: TensorOperand | undefined;
  /** For rotary positions: int32 `[time]` or `[batch, time]`. */
  positions?: TensorOperand | undefined;
}

/** A Transformer decoder layer: `[batch, time, features]`. */
export interface TransformerDecoderLayer extends Layer<TransformerDecoderLayerParameters> {
  /**
   * The layer's result, in the shape of `x`, `[batch, time, features]`.
   *
   * @throws ShapeError when a shape does not fit
   */
  apply<T extends TensorOperand>(
    parameters: TransformerDecoderLayerParameters,
    input: DecoderInput<T>,
    options?: ApplyOptions,
  ): Tensor<ShapeOf<T>, "float32">;
}

/**
 * Causal self-attention, attention to an encoder's result and a feed-forward part, each with a residual sum, dropout and a norm,
 * `transformerDecoderLayer({ features: 64, heads: 4 })`: `{ x, memory }` gives the shape of `x`, `[batch, time, features]`
 * (`torch.nn.TransformerDecoderLayer`). `causal` is true by default; in PyTorch it is `tgt_is_causal`, false by default.
 *
 * @throws RangeError when a size is not a positive integer, the heads do not divide, or the dropout rate is outside [0, 1);
 *   TypeError for an unknown activation or norm, or when `from` is neither a seed nor a generator; ShapeError from `apply`
 */
export function transformerDecoderLayer<const F extends number, const H extends number>(
  options: TransformerLayerOptions<F> & {
    heads: DividingHeads<"transformerDecoderLayer", F, H>;
    /** The width of the memory; `features` by default. */
    crossFeatures?: number;
  },
): TransformerDecoderLayer;
export function transformerDecoderLayer(
  options: TransformerLayerOptions & { heads: number; crossFeatures?: number },
): TransformerDecoderLayer {
  const name = "transformerDecoderLayer";
  const settings = layerSettings(name, options);
  const { features, heads } = settings;
  const { crossFeatures = features, causal = true } = options;
  const parameters = decoderLayerParameters(settings, crossFeatures, randomFor(options.from));
  const apply = (p: TransformerDecoderLayerParameters, given: DecoderInput, own: ApplyOptions = {}) => {
    const [x, memory] = [given.x, given.memory] as [AnyTensor, AnyTensor];
    checkSequences(name, x, features);
    checkSequences(`${name} (memory)`, memory, crossFeatures, x.shape[0]);
    const [rows, time] = x.shape as [number, number, number];
    const keys = memory.shape[1]!;
    const run = () => {
      const sizes = { rows, heads, time };
      const mask = attentionCondition(name, given, { ...sizes, keys: time, causal });
      const ofMemory = { mask: given.memoryMask, keyPadding: given.memoryKeyPadding };
      const memoryMask = attentionCondition(name, ofMemory, { ...sizes, keys, causal: false });
      const places = {
        self: { rows, time, mask, positions: checkPositions(name, given.positions, rows, time) },
        cross: { rows, time, mask: memoryMask },
      };
      const flat = tf.reshape(x, [rows * time, features]) as AnyTensor;
      const context = tf.reshape(memory, [rows * keys, crossFeatures]) as AnyTensor;
      return tf.reshape(decoderLayer(flat, context, p, settings, places, own), [rows, time, features]) as AnyTensor;
    };
    return label(
      profileScope(name, () => tf.tidy(name, run)),
      namesOf(x),
    );
  };
  const shown = { features, heads, hidden: settings.hidden, activation: settings.activation };
  return defineSummary({ parameters, apply: markPure(apply) }, () => summaryOf(name, shown, parameters)) as never;
}

/** New parameters. */
export function decoderLayerParameters(
  settings: TransformerLayerSettings,
  crossFeatures: number,
  rng: Random,
): TransformerDecoderLayerParameters {
  const { features, bias } = settings;
  const attentionNorm = normParameters(features, settings);
  const projection = selfProjection(settings, bias, rng);
  const attentionOutput = outputProjection(features, bias, rng);
  const { query, keyValue } = crossProjections(settings, crossFeatures, bias, rng);
  return {
    attentionNorm,
    projection,
    attentionOutput,
    crossNorm: normParameters(features, settings),
    crossQuery: query,
    crossKeyValue: keyValue,
    crossOutput: outputProjection(features, bias, rng),
    feedForwardNorm: normParameters(features, settings),
    ...feedForwardParameters(settings, rng),
  };
}

/** The layer on rows of tokens, `[rows * time, features]`, and of the memory, `[rows * keys, crossFeatures]`. */
export function decoderLayer(
  x: AnyTensor,
  memory: AnyTensor,
  p: TransformerDecoderLayerParameters,
  settings: TransformerLayerSettings,
  places: { self: TokenRows; cross: TokenRows },
  options: ApplyOptions,
): AnyTensor {
  const attended = profileScope("attention", () =>
    residual(x, p.attentionNorm, p.attentionOutput, settings, options, (normed) =>
      selfAttention(affine(normed, p.projection), settings, places.self, options),
    ),
  );
  const crossed = profileScope("crossAttention", () =>
    residual(attended, p.crossNorm, p.crossOutput, settings, options, (normed) =>
      crossAttention(
        affine(normed, p.crossQuery),
        () => affine(memory, p.crossKeyValue),
        settings,
        places.cross,
        options,
      ),
    ),
  );
  return feedForward(crossed, p, settings, options);
}
