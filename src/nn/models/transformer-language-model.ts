import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../../batching/batch.ts";
import { random } from "../../data/random.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { stepInput } from "../../runtime/native/capture/step-inputs.ts";
import { disposeTree } from "../../tensor/tree.ts";
import type { AnyTensor, Tensor } from "../../tensor/types/tensor.ts";
import { causalTensors, idTensors, type TokenTensors } from "../batch-tensors.ts";
import { type Parameter, parameter, standardNormal } from "../initialisers.ts";
import { type ApplyOptions, copiedOptions, type Model } from "../layer.ts";
import {
  type FeedForwardActivation,
  type LayerNormParameters,
  normalised,
  normParameters,
} from "../layers/feed-forward.ts";
import type { DividingHeads } from "../layers/multi-head-attention.ts";
import {
  encoderLayer,
  encoderLayerParameters,
  type TransformerEncoderLayerParameters,
} from "../layers/transformer-encoder-layer.ts";
import { layerSettings } from "../layers/transformer-layer.ts";
import type { KeyValueCache } from "../ops/key-value-cache.ts";
import { rotaryTable } from "../ops/rotary.ts";
import { markPure } from "../pure.ts";
import { checkPrompts, decoding, type GenerativeModel } from "./decoding.ts";
import {
  checkLength,
  checkSizes,
  drawAsGpt2,
  lastOfRows,
  sinusoids,
  sizeText,
  throughLayers,
  tokenRows,
  tokenTable,
  vocabularyLogits,
  withParts,
  withPositions,
} from "./transformer-parts.ts";

/** The sizes and options of `transformerLanguageModel`. */
export interface LanguageModelConfig {
  /** Number of token ids. */
  vocabularySize: number;
  /** Length of the longest sequence, generated tokens included. */
  maxLength: number;
  /** Width of the model; a multiple of `heads`. */
  features: number;
  heads: number;
  layers: number;
  /** Heads of keys and values, which divide `heads`; `heads` by default. */
  keyValueHeads?: number;
  /** Width of the feed-forward part; 4 times `features` by default. */
  hidden?: number;
  /** Dropout rate after the embedding, of attention weights, after attention and after the feed-forward part; 0.1 by default. */
  dropout?: number;
  /** `"gelu"` by default; `"geluTanh"` is GPT-2's approximation, `"swiGLU"` Llama's gated unit. */
  activation?: FeedForwardActivation;
  /** `"layerNorm"`, the default, or Llama's `"rmsNorm"`. */
  norm?: "layerNorm" | "rmsNorm";
  /** Added to a norm's variance; 1e-5 by default. */
  epsilon?: number;
  /**
   * A learned table, the default, fixed sines and cosines, or rotary positions in each layer. With sines and cosines the initial
   * embeddings are of their size, as in `transformerSeq2Seq`.
   */
  positions?: "learned" | "sinusoidal" | "rotary";
  /** The base of rotary positions; 10,000 by default. */
  rotaryBase?: number;
  /** Whether linear maps and norms have biases; true by default. */
  bias?: boolean;
  /** Whether the output layer uses the embedding table (Press and Wolf 2017); true by default. */
  tied?: boolean;
  /** Seed of the initial parameters; 0 by default. */
  seed?: number;
}

/** The parameters of a language model, a tree of variables. */
export interface LanguageModelParameters {
  /** `[vocabularySize, features]` */
  tokens: Parameter<[number, number]>;
  /** `[maxLength, features]`, only when positions are learned. */
  positions?: Parameter<[number, number]>;
  layers: TransformerEncoderLayerParameters[];
  norm: LayerNormParameters;
  /** `[features, vocabularySize]`, only when the output layer is not tied to the embedding. */
  output?: { weight: Parameter<[number, number]> };
}

/** A language model: its configuration, its parameters, and a function of parameters and a batch. */
export interface LanguageModel
  extends Model<LanguageModelParameters, Batch, Tensor<[number, number, number], "float32">>,
    GenerativeModel<LanguageModelParameters> {
  config: Required<LanguageModelConfig>;
  /** Logits of the token after each position, `[rows, time, vocabularySize]`. */
  apply(
    parameters: LanguageModelParameters,
    batch: Batch,
    options?: ApplyOptions,
  ): Tensor<[number, number, number], "float32">;
  /** Disposes the parameters. */
  dispose(): void;
}

interface Inputs extends TokenTensors {
  caches?: readonly KeyValueCache[] | undefined;
}

/**
 * A Transformer decoder that predicts the next token, from `[rows, time]` ids to logits `[rows, time, vocabularySize]`: pre-norm
 * layers with causal attention, in the shape and with the initial values of GPT-2 by default. Llama's shape has
 * `norm: "rmsNorm", activation: "swiGLU", positions: "rotary", bias: false, tied: false`.
 *
 * Train it with `train({ loss: "nextToken" })`. Packed sequences see themselves only, and padding may be on either side; logits
 * on padding have no meaning.
 *
 * @throws RangeError when a size is not a positive integer, the heads do not divide, or `dropout` is outside [0, 1); from `apply`
 *   when a batch is longer than `maxLength`; TypeError for an unknown activation, norm or kind of positions
 */
export function transformerLanguageModel<const F extends number, const H extends number>(
  config: Omit<LanguageModelConfig, "features" | "heads"> & {
    features: F;
    heads: DividingHeads<"transformerLanguageModel", F, H>;
  },
): LanguageModel;
export function transformerLanguageModel(config: LanguageModelConfig): LanguageModel {
  const name = "transformerLanguageModel";
  const full: Required<LanguageModelConfig> = {
    ...{
      keyValueHeads: config.heads,
      hidden: 4 * config.features,
      dropout: 0.1,
      activation: "gelu",
      norm: "layerNorm",
    },
    ...{ epsilon: 1e-5, positions: "learned", rotaryBase: 10_000, bias: true, tied: true, seed: 0 },
    ...config,
  };
  const { vocabularySize, maxLength, features, layers, positions, dropout, tied } = full;
  checkSizes({ vocabularySize, maxLength, layers });
  if (!["learned", "sinusoidal", "rotary"].includes(positions))
    throw new TypeError(`${name}: positions must be "learned", "sinusoidal" or "rotary", got "${positions}"`);
  const { seed: _, positions: __, ...sizes } = full;
  const settings = layerSettings(name, { ...sizes, normFirst: true, ...(positions === "rotary" && { positions }) });
  const parameters = initialParameters(full, settings);
  const sines = positions === "sinusoidal" ? sinusoids(maxLength, features) : undefined;

  /** `[rows * time, features]`, after the last norm. */
  const hidden = (p: LanguageModelParameters, inputs: Inputs, options: ApplyOptions): AnyTensor => {
    const { rows, time, mask, caches } = inputs;
    const at = inputs.positions as AnyTensor;
    const tokens = () => tokenRows(p.tokens, inputs.ids as AnyTensor, tied && positions === "sinusoidal");
    const start = profileScope("embedding", () => withPositions(tokens, p.positions ?? sines, at, dropout, options));
    const table = settings.rotary && rotaryTable(tf.reshape(at, [rows, time]), settings.rotary);
    const place = { rows, time, mask, positions: table };
    const layer = (each: AnyTensor, own: TransformerEncoderLayerParameters, i: number) =>
      encoderLayer(each, own, settings, { ...place, cache: caches?.[i] }, options);
    const x = throughLayers(start, p.layers, layer, options);
    return normalised(x, p.norm, settings);
  };
  const logits = (p: LanguageModelParameters, rows: AnyTensor) => vocabularyLogits(rows, p.tokens, p.output);

  const apply = (p: LanguageModelParameters, batch: Batch, given: ApplyOptions = {}) => {
    const options = copiedOptions(given);
    return tf.tidy(() => {
      const inputs = stepInput(causalTensors, batch);
      const { rows, time } = inputs;
      checkLength(time, maxLength);
      return tf.reshape(logits(p, hidden(p, inputs, options)), [rows, time, vocabularySize]);
    }) as Tensor3D as never;
  };
  const startDecoding: LanguageModel["startDecoding"] = (p, prompts, { cache = true, maxNewTokens = 0 } = {}) => {
    checkPrompts(prompts, { vocabularySize, maxLength, maxNewTokens });
    return decoding({
      ...{ prompts, cache, layers },
      forward: (step) => logits(p, lastOfRows(hidden(p, idTensors(step), {}), step)) as Tensor2D,
    });
  };
  const dispose = () => {
    sines?.dispose();
    disposeTree(parameters);
  };
  return withParts(
    { config: full, parameters, apply: markPure(apply), startDecoding, dispose },
    `Language model of ${sizeText(layers, features, full.heads)}, vocabulary ${vocabularySize}, at most ${maxLength} tokens`,
  );
}

function initialParameters(
  { vocabularySize, maxLength, features, layers, positions, tied, seed }: Required<LanguageModelConfig>,
  settings: ReturnType<typeof layerSettings>,
): LanguageModelParameters {
  const rng = random(seed);
  const table = (rows: number, columns: number) =>
    parameter<[number, number]>("weight", standardNormal, [rows, columns], rng);
  // Sines and cosines would hide tokens of the size of GPT-2's.
  const areSines = positions === "sinusoidal";
  const parameters: LanguageModelParameters = {
    tokens: areSines ? tokenTable(vocabularySize, features, tied, rng) : table(vocabularySize, features),
    ...(positions === "learned" && { positions: table(maxLength, features) }),
    layers: Array.from({ length: layers }, () => encoderLayerParameters(settings, rng)),
    norm: normParameters(features, settings),
    ...(!tied && { output: { weight: table(features, vocabularySize) } }),
  };
  const { tokens: _, ...others } = parameters;
  drawAsGpt2(areSines ? others : parameters, 2 * layers, rng);
  return parameters;
}
