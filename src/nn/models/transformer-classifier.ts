import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../../batching/batch.ts";
import { random } from "../../data/random.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { stepInput } from "../../runtime/native/capture/step-inputs.ts";
import { int32Values } from "../../tensor/int32.ts";
import { disposeTree } from "../../tensor/tree.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { type BatchTensors, batchTensors } from "../batch-tensors.ts";
import { type Parameter, parameter, standardNormal } from "../initialisers.ts";
import { type ApplyOptions, copiedOptions, type Model } from "../layer.ts";
import { fromFanIn, type LayerNormParameters, normalised, normParameters } from "../layers/feed-forward.ts";
import { affine } from "../layers/heads.ts";
import type { LinearParameters } from "../layers/linear.ts";
import type { DividingHeads } from "../layers/multi-head-attention.ts";
import {
  encoderLayer,
  encoderLayerParameters,
  type TransformerEncoderLayerParameters,
} from "../layers/transformer-encoder-layer.ts";
import { layerSettings } from "../layers/transformer-layer.ts";
import { embedding } from "../ops/embedding.ts";
import { meanPool } from "../ops/pool.ts";
import { markPure } from "../pure.ts";
import {
  checkLength,
  checkSizes,
  sinusoids,
  sizeText,
  throughLayers,
  withParts,
  withPositions,
} from "./transformer-parts.ts";

/** The sizes and options of `transformerClassifier`. */
export interface TransformerConfig {
  /** Number of token ids; for sequences of real numbers, the number of features per step. */
  vocabularySize: number;
  /** Number of outputs; 1 for a regression. */
  classes: number;
  /** Length of the longest sequence. */
  maxLength: number;
  /** Width of the model; a multiple of `heads`. */
  features: number;
  heads: number;
  layers: number;
  /** Width of the feed-forward layer; 4 times `features` by default. */
  hidden?: number;
  /** Dropout rate after the embedding, of attention weights, after attention, inside and after the feed-forward; 0.1 by default. */
  dropout?: number;
  /** Activation of the feed-forward layer; `"relu"` by default. */
  activation?: "relu" | "gelu";
  /** Fixed sines and cosines (Vaswani et al. 2017, section 3.5), the default, or a learned table. */
  positions?: "sinusoidal" | "learned";
  /** Seed of the initial parameters; 0 by default. */
  seed?: number;
}

/** The parameters of a Transformer classifier, a tree of variables. */
export interface TransformerParameters {
  /** `[vocabularySize, features]`: the embedding table, or for real numbers the weight of the input layer. */
  tokens: Parameter<[number, number]>;
  /** `[maxLength, features]`, only when positions are learned. */
  positions?: Parameter<[number, number]>;
  layers: TransformerEncoderLayerParameters[];
  norm: LayerNormParameters;
  classifier: LinearParameters;
}

/** A model: its configuration, its parameters, and a stateless function of parameters and a batch. */
export interface Classifier extends Model<TransformerParameters, Batch, Tensor2D> {
  config: Required<TransformerConfig>;
  /** Logits `[sequences, classes]`, in the order of `batch.indices`. */
  apply(parameters: TransformerParameters, batch: Batch, options?: ApplyOptions): Tensor2D;
  dispose(): void;
}

/**
 * A Transformer encoder that classifies sequences: embedding, `layers` pre-norm encoder layers, a final norm, the mean over a
 * sequence's own tokens, and a linear classifier. Its logits are `[sequences, classes]`.
 *
 * The layer is PyTorch's `nn.TransformerEncoderLayer(norm_first=True)`, with its initialisation. The norm comes before each
 * sublayer because such a model trains without a long warm-up (Xiong et al. 2020, arXiv 2002.04745).
 *
 * @throws RangeError when a size is not a positive integer, `features` is not a multiple of `heads`, or `dropout` is outside
 *   [0, 1); from `apply` when a batch is longer than `maxLength`
 */
export function transformerClassifier<const F extends number, const H extends number>(
  config: Omit<TransformerConfig, "features" | "heads"> & {
    features: F;
    heads: DividingHeads<"transformerClassifier", F, H>;
  },
): Classifier;
export function transformerClassifier(config: TransformerConfig): Classifier {
  const full: Required<TransformerConfig> = {
    ...{ hidden: 4 * config.features, dropout: 0.1, activation: "relu", positions: "sinusoidal", seed: 0 },
    ...config,
  };
  const { vocabularySize, classes, maxLength, features, heads, layers, hidden, dropout, activation } = full;
  checkSizes({ vocabularySize, classes, maxLength, layers });
  const sizes = { features, heads, hidden, dropout, activation };
  const settings = layerSettings("transformerClassifier", { ...sizes, normFirst: true });
  const parameters = initialParameters(full, settings);
  const sines = full.positions === "sinusoidal" ? sinusoids(maxLength, features) : undefined;

  const apply = (p: TransformerParameters, batch: Batch, given: ApplyOptions = {}) => {
    const options = copiedOptions(given);
    return tf.tidy(() => {
      const inputs = stepInput(batchTensors, batch);
      const { rows, time } = inputs;
      checkLength(time, maxLength);
      const tokens = () => embedded(p.tokens as AnyTensor, inputs);
      const place = { rows, time, mask: inputs.attentionMask };
      const start = profileScope("embedding", () =>
        withPositions(tokens, p.positions ?? sines, inputs.positions as AnyTensor, dropout, options),
      );
      const x = throughLayers(
        start,
        p.layers,
        (each, own) => encoderLayer(each, own, settings, place, options),
        options,
      );
      return profileScope("classifier", () => {
        const pooled = tf.tidy(() => meanPool(normalised(x, p.norm, settings) as Tensor2D, inputs.meanWeights));
        x.dispose();
        const sequences = inputs.sequences ? embedding(pooled, inputs.sequences) : pooled;
        return affine(sequences as AnyTensor, p.classifier) as Tensor2D;
      });
    });
  };
  const dispose = () => {
    sines?.dispose();
    disposeTree(parameters);
  };
  return withParts(
    { config: full, parameters, apply: markPure(apply), dispose },
    `Transformer of ${sizeText(layers, features, heads)}, at most ${maxLength} tokens to ${classes} classes`,
  );
}

function embedded(table: AnyTensor, { ids, features }: BatchTensors): AnyTensor {
  if (!features) return embedding(table, ids) as AnyTensor;
  const [width] = table.shape;
  if (features.shape[1] !== width) {
    throw new RangeError(
      `the sequences have ${features.shape[1]} features per step, but the model's vocabularySize is ${width}`,
    );
  }
  return tf.matMul(features, table as Tensor2D) as AnyTensor;
}

function initialParameters(
  { vocabularySize, classes, maxLength, features, layers, positions, seed }: Required<TransformerConfig>,
  settings: ReturnType<typeof layerSettings>,
): TransformerParameters {
  const rng = random(seed);
  const table = (rows: number) => parameter<[number, number]>("weight", standardNormal, [rows, features], rng);
  return {
    tokens: table(vocabularySize),
    ...(positions === "learned" ? { positions: table(maxLength) } : {}),
    layers: Array.from({ length: layers }, () => encoderLayerParameters(settings, rng)),
    norm: normParameters(features, settings),
    classifier: fromFanIn(rng, features, classes) as LinearParameters,
  };
}

/**
 * The class labels of a batch as an int32 tensor `[sequences]`.
 *
 * @throws TypeError when the batch has no labels; RangeError for a label outside int32
 */
export function labelTensor(batch: Batch): Tensor1D {
  if (!batch.labels) throw new TypeError("the batch has no labels: make it from examples with labels");
  return tf.tensor1d(int32Values("labelTensor", batch.labels, [batch.labels.length]), "int32");
}
