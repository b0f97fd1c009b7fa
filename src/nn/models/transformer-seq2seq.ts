import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../../batching/batch.ts";
import { dynamicPad } from "../../batching/pad.ts";
import { random } from "../../data/random.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { stepInput } from "../../runtime/native/capture/step-inputs.ts";
import { disposeTree } from "../../tensor/tree.ts";
import type { AnyTensor, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { attentionBias, causalTensors, encoderTensors, idTensors, type TokenTensors } from "../batch-tensors.ts";
import type { Parameter } from "../initialisers.ts";
import { type ApplyOptions, copiedOptions, type Model } from "../layer.ts";
import {
  type FeedForwardActivation,
  fromFanIn,
  type LayerNormParameters,
  normalised,
  normParameters,
} from "../layers/feed-forward.ts";
import type { DividingHeads } from "../layers/multi-head-attention.ts";
import {
  decoderLayer,
  decoderLayerParameters,
  type TransformerDecoderLayerParameters,
} from "../layers/transformer-decoder-layer.ts";
import {
  encoderLayer,
  encoderLayerParameters,
  type TransformerEncoderLayerParameters,
} from "../layers/transformer-encoder-layer.ts";
import { layerSettings } from "../layers/transformer-layer.ts";
import type { AttentionMask } from "../ops/attention-mask.ts";
import { KeyValueCache, replacedByRows } from "../ops/key-value-cache.ts";
import { markPure } from "../pure.ts";
import { checkPrompts, decoding, type GenerativeModel } from "./decoding.ts";
import {
  checkLength,
  checkSizes,
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

/** The sizes and options of `transformerSeq2Seq`. */
export interface Seq2SeqConfig {
  /** Number of token ids of the sources. */
  sourceVocabularySize: number;
  /** Number of token ids of the targets. */
  targetVocabularySize: number;
  /** The token that begins every target, from which `generate` starts. */
  startToken: number;
  /** Length of the longest source and of the longest target, generated tokens and the start token included. */
  maxLength: number;
  /** Width of the model; a multiple of `heads`. */
  features: number;
  heads: number;
  /** Layers of the encoder, and of the decoder. */
  layers: number;
  /** Layers of the decoder, where it has another number. */
  decoderLayers?: number;
  /** Width of the feed-forward part; 4 times `features` by default. */
  hidden?: number;
  /** Dropout rate after the embeddings, of attention weights, after attention and of the feed-forward part; 0.1 by default. */
  dropout?: number;
  /** Activation of the feed-forward part; `"relu"` by default. */
  activation?: FeedForwardActivation;
  /** `"layerNorm"`, the default, or `"rmsNorm"`. */
  norm?: "layerNorm" | "rmsNorm";
  /** Fixed sines and cosines (Vaswani et al. 2017, section 3.5), the default, or learned tables. */
  positions?: "sinusoidal" | "learned";
  /**
   * Whether the output layer uses the embedding table of the targets; false by default. The decoder then reads its rows times
   * `sqrt(features)` (Vaswani et al. 2017, section 3.4).
   */
  tied?: boolean;
  /** Seed of the initial parameters; 0 by default. */
  seed?: number;
}

/** The parameters of an encoder and a decoder, a tree of variables. */
export interface Seq2SeqParameters {
  /** `[sourceVocabularySize, features]` */
  sourceTokens: Parameter<[number, number]>;
  /** `[targetVocabularySize, features]` */
  targetTokens: Parameter<[number, number]>;
  /** `[maxLength, features]`, only when positions are learned. */
  sourcePositions?: Parameter<[number, number]>;
  targetPositions?: Parameter<[number, number]>;
  encoderLayers: TransformerEncoderLayerParameters[];
  encoderNorm: LayerNormParameters;
  decoderLayers: TransformerDecoderLayerParameters[];
  decoderNorm: LayerNormParameters;
  /** `[features, targetVocabularySize]`, only when the output layer is not tied to the embedding. */
  output?: { weight: Parameter<[number, number]> };
}

/** Sources and their targets, as batches of examples `{ source: { tokens }, target: { tokens } }`. */
export interface Seq2SeqBatch {
  source: Batch;
  target: Batch;
}

/** An encoder and a decoder: their configuration, their parameters, and a function of parameters and a batch. */
export interface Seq2Seq
  extends Model<Seq2SeqParameters, Seq2SeqBatch, Tensor<[number, number, number], "float32">>,
    GenerativeModel<Seq2SeqParameters> {
  config: Required<Seq2SeqConfig>;
  /** Logits of the token after each position of the targets, `[rows, time, targetVocabularySize]`. */
  apply(
    parameters: Seq2SeqParameters,
    batch: Seq2SeqBatch,
    options?: ApplyOptions,
  ): Tensor<[number, number, number], "float32">;
  /** Disposes the parameters. */
  dispose(): void;
}

interface DecoderInputs extends TokenTensors {
  memory: AnyTensor;
  memoryMask: AttentionMask | undefined;
  caches?: readonly KeyValueCache[] | undefined;
  memoryCaches?: readonly KeyValueCache[] | undefined;
}

/**
 * A Transformer encoder and decoder (Vaswani et al. 2017) with pre-norm layers, from a batch of sources and targets, `[rows, time]`
 * ids each, to logits `[rows, time, targetVocabularySize]` of the targets.
 *
 * Train it with `train({ loss: "nextToken" })`: the decoder reads the target up to a position and predicts its next token
 * (teacher forcing). So each target is the start token, its tokens, and a token that ends it.
 *
 * @throws RangeError when a size is not a positive integer, the heads do not divide, or `dropout` is outside [0, 1); from `apply`
 *   when a batch is longer than `maxLength` or a target does not begin with the start token; TypeError for an unknown activation,
 *   norm or kind of positions, and from `apply` for a batch without sources and targets
 */
export function transformerSeq2Seq<const F extends number, const H extends number>(
  config: Omit<Seq2SeqConfig, "features" | "heads"> & { features: F; heads: DividingHeads<"transformerSeq2Seq", F, H> },
): Seq2Seq;
export function transformerSeq2Seq(config: Seq2SeqConfig): Seq2Seq {
  const name = "transformerSeq2Seq";
  const full: Required<Seq2SeqConfig> = {
    ...{ decoderLayers: config.layers, hidden: 4 * config.features, dropout: 0.1, activation: "relu" },
    ...{ norm: "layerNorm", positions: "sinusoidal", tied: false, seed: 0 },
    ...config,
  };
  const { sourceVocabularySize, targetVocabularySize, startToken, maxLength, features, heads } = full;
  const { layers, decoderLayers, positions, dropout } = full;
  checkSizes({ sourceVocabularySize, targetVocabularySize, maxLength, layers, decoderLayers });
  if (!(Number.isInteger(startToken) && startToken >= 0 && startToken < targetVocabularySize))
    throw new RangeError(`${name}: startToken must be in [0, ${targetVocabularySize}), got ${startToken}`);
  if (!["learned", "sinusoidal"].includes(positions))
    throw new TypeError(`${name}: positions must be "learned" or "sinusoidal", got "${positions}"`);
  const { hidden, activation, norm } = full;
  const settings = layerSettings(name, { features, heads, hidden, dropout, activation, norm, normFirst: true });
  const parameters = initialParameters(full, settings);
  const sines = positions === "sinusoidal" ? sinusoids(maxLength, features) : undefined;

  const embeddedRows = (
    tokens: () => AnyTensor,
    places: TensorOperand | undefined,
    inputs: TokenTensors,
    options: ApplyOptions,
  ) => withPositions(tokens, places ?? sines, inputs.positions as AnyTensor, dropout, options);
  /** `[rows * time, features]` of the sources. */
  const encode = (p: Seq2SeqParameters, inputs: TokenTensors, options: ApplyOptions): AnyTensor =>
    profileScope("encoder", () => {
      const { rows, time, mask } = inputs;
      const start = embeddedRows(
        () => tokenRows(p.sourceTokens, inputs.ids as AnyTensor, false),
        p.sourcePositions,
        inputs,
        options,
      );
      const layer = (each: AnyTensor, own: TransformerEncoderLayerParameters) =>
        encoderLayer(each, own, settings, { rows, time, mask }, options);
      const x = throughLayers(start, p.encoderLayers, layer, options);
      return normalised(x, p.encoderNorm, settings);
    });
  /** `[rows * time, features]` of the targets. */
  const decode = (p: Seq2SeqParameters, inputs: DecoderInputs, options: ApplyOptions): AnyTensor =>
    profileScope("decoder", () => {
      const { rows, time, mask, memory, memoryMask, caches, memoryCaches } = inputs;
      const start = embeddedRows(
        () => tokenRows(p.targetTokens, inputs.ids as AnyTensor, full.tied),
        p.targetPositions,
        inputs,
        options,
      );
      const x = throughLayers(
        start,
        p.decoderLayers,
        (each, own, i) => {
          const self = { rows, time, mask, cache: caches?.[i] };
          const cross = { rows, time, mask: memoryMask, cache: memoryCaches?.[i] };
          return decoderLayer(each, memory, own, settings, { self, cross }, options);
        },
        options,
      );
      return normalised(x, p.decoderNorm, settings);
    });
  const logits = (p: Seq2SeqParameters, rows: AnyTensor) => vocabularyLogits(rows, p.targetTokens, p.output);

  const tensorsOf = (batch: Seq2SeqBatch) => {
    const { source, target } = checkBatch(batch, full);
    const memoryMask = attentionBias(target, { keys: source });
    return { source: encoderTensors(source), target: causalTensors(target), memoryMask };
  };
  const apply = (p: Seq2SeqParameters, batch: Seq2SeqBatch, given: ApplyOptions = {}) => {
    const options = copiedOptions(given);
    return tf.tidy(() => {
      const { source, target, memoryMask } = stepInput(tensorsOf, batch);
      const inputs = { ...target, memory: encode(p, source, options), memoryMask };
      return tf.reshape(logits(p, decode(p, inputs, options)), [target.rows, target.time, targetVocabularySize]);
    }) as Tensor3D as never;
  };
  const startDecoding: Seq2Seq["startDecoding"] = (p, sources, { cache = true, maxNewTokens = 0 } = {}) => {
    checkPrompts(sources, { vocabularySize: sourceVocabularySize, maxLength });
    const prompts = sources.map(() => [startToken]);
    checkPrompts(prompts, { vocabularySize: targetVocabularySize, maxLength, maxNewTokens });
    const source = dynamicPad(sources);
    // `[rows, time, features]` and `[rows, 1, 1, time]`
    let [encoded, bias] = tf.tidy(() => {
      const inputs = encoderTensors(source);
      const { mask } = inputs;
      const made = encode(p, inputs, {});
      const rows = tf.reshape(made, [source.rows, source.time, features]);
      return [tf.keep(rows), ...(mask ? [tf.keep(mask.bias)] : [])];
    }) as [AnyTensor, AnyTensor?];
    const memoryCaches = cache ? p.decoderLayers.map(() => new KeyValueCache()) : undefined;
    return decoding({
      ...{ prompts, cache, layers: decoderLayers },
      forward: (step) => {
        const memory = tf.reshape(encoded, [-1, features]);
        const inputs = { ...idTensors(step), memory, memoryMask: bias && { bias }, memoryCaches };
        return logits(p, lastOfRows(decode(p, inputs, {}), step)) as Tensor2D;
      },
      select: (rows) => {
        encoded = replacedByRows(encoded, rows);
        bias &&= replacedByRows(bias, rows);
        for (const each of memoryCaches ?? []) each.select(rows);
      },
      dispose: () => {
        for (const each of [encoded, bias, ...(memoryCaches ?? [])]) each?.dispose();
      },
    });
  };
  const dispose = () => {
    sines?.dispose();
    disposeTree(parameters);
  };
  const sizes = `${sizeText(layers, features, heads)} and a decoder of ${decoderLayers}`;
  return withParts(
    { config: full, parameters, apply: markPure(apply), startDecoding, dispose },
    `Encoder of ${sizes}, at most ${maxLength} tokens`,
  );
}

function checkBatch(
  { source, target }: Seq2SeqBatch,
  { maxLength, startToken }: Required<Seq2SeqConfig>,
): Seq2SeqBatch {
  if (!source?.ids || !target?.ids)
    throw new TypeError(
      "transformerSeq2Seq: expected a batch of sources and targets: make it from examples { source: { tokens }, target: { tokens } }",
    );
  checkLength(Math.max(source.time, target.time), maxLength);
  for (let at = 0; at < target.ids.length; at++) {
    if (target.mask[at] && target.positions[at] === 0 && target.ids[at] !== startToken)
      throw new RangeError(
        `transformerSeq2Seq: a target in row ${Math.floor(at / target.time)} begins with token ${target.ids[at]}, expected the startToken ${startToken}`,
      );
  }
  return { source, target };
}

function initialParameters(
  config: Required<Seq2SeqConfig>,
  settings: ReturnType<typeof layerSettings>,
): Seq2SeqParameters {
  const { sourceVocabularySize, targetVocabularySize, maxLength, features, layers, decoderLayers } = config;
  const rng = random(config.seed);
  const places = () => (config.positions === "learned" ? tokenTable(maxLength, features, false, rng) : undefined);
  const [sourcePositions, targetPositions] = [places(), places()];
  return {
    sourceTokens: tokenTable(sourceVocabularySize, features, false, rng),
    targetTokens: tokenTable(targetVocabularySize, features, config.tied, rng),
    ...(sourcePositions && { sourcePositions }),
    ...(targetPositions && { targetPositions }),
    encoderLayers: Array.from({ length: layers }, () => encoderLayerParameters(settings, rng)),
    encoderNorm: normParameters(features, settings),
    decoderLayers: Array.from({ length: decoderLayers }, () => decoderLayerParameters(settings, features, rng)),
    decoderNorm: normParameters(features, settings),
    ...(!config.tied && { output: fromFanIn(rng, features, targetVocabularySize, false) }),
  };
}
