import type { Rank, Tensor1D, Tensor2D, Variable } from "@tensorflow/tfjs-node-gpu";
import { checkPositiveInteger } from "../base/checks.ts";
import type { Batch } from "../batching/batch.ts";
import { type Random, random } from "../data/random.ts";
import { defineSummary, formatCount } from "../display/define-summary.ts";
import { profileScope, tf } from "../runtime/index.ts";
import { seededDropout } from "../tensor/dropout.ts";
import type { Dropout } from "../tensor/dropout-mask.ts";
import { countParameters, gelu, layerNorm, parameterList } from "../tensor/index.ts";
import { int32Values } from "../tensor/int32.ts";
import { type BatchTensors, batchTensors } from "./batch-tensors.ts";
import { constant, normal, uniform, xavier } from "./initial.ts";
import { type ApplyOptions, dropoutSeed, type Model } from "./layer.ts";
import { addWithDropout } from "./ops/add-with-dropout.ts";
import { attention } from "./ops/attention.ts";
import { embedding } from "./ops/embedding.ts";
import { linear, linearRelu } from "./ops/linear.ts";
import { meanPool } from "./ops/pool.ts";

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

interface LinearParameters {
  /** `[in, out]` */
  weight: Variable<Rank.R2>;
  bias: Variable<Rank.R1>;
}

interface NormParameters {
  scale: Variable<Rank.R1>;
  offset: Variable<Rank.R1>;
}

interface LayerParameters {
  attentionNorm: NormParameters;
  /** Queries, keys and values side by side: `[features, 3 * features]`. */
  projection: LinearParameters;
  attentionOutput: LinearParameters;
  feedForwardNorm: NormParameters;
  up: LinearParameters;
  down: LinearParameters;
}

/** The parameters of a Transformer classifier, a tree of variables. */
export interface TransformerParameters {
  /** `[vocabularySize, features]`: the embedding table, or for real numbers the weight of the input layer. */
  tokens: Variable<Rank.R2>;
  /** `[maxLength, features]`, only when positions are learned. */
  positions?: Variable<Rank.R2>;
  layers: LayerParameters[];
  norm: NormParameters;
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
export function transformerClassifier(config: TransformerConfig): Classifier {
  const full = complete(config);
  const parameters = initialParameters(full);
  const sines = full.positions === "sinusoidal" ? sinusoids(full.maxLength, full.features) : undefined;

  const apply = (p: TransformerParameters, batch: Batch, options: ApplyOptions = {}) => {
    const own = { ...options };
    if (batch.time > full.maxLength) {
      throw new RangeError(`the batch is ${batch.time} tokens long, but the model's maxLength is ${full.maxLength}`);
    }
    const drop = (): Dropout | undefined =>
      own.training && full.dropout > 0 ? { rate: full.dropout, seed: dropoutSeed(own) } : undefined;
    return tf.tidy(() => {
      const inputs = batchTensors(batch);
      let x = profileScope("embedding", () =>
        tf.tidy(() => {
          const positions = embedding(p.positions ?? (sines as Tensor2D), inputs.positions);
          return seededDropout(addWithDropout(embedded(p.tokens, inputs), positions, undefined), drop());
        }),
      );
      for (const [i, own] of p.layers.entries()) {
        const before = x;
        x = profileScope(`layers.${i}`, () => tf.tidy(() => encoderLayer(before, own, inputs, batch, full, drop)));
        before.dispose();
      }
      return profileScope("classifier", () => {
        const pooled = tf.tidy(() => meanPool(layerNorm(x, p.norm.scale, p.norm.offset), inputs.meanWeights));
        x.dispose();
        const sequences = inputs.sequences ? embedding(pooled, inputs.sequences) : pooled;
        return linear(sequences, p.classifier.weight, p.classifier.bias);
      });
    });
  };
  const dispose = () => {
    sines?.dispose();
    for (const { variable } of parameterList(parameters)) variable.dispose();
  };
  return defineSummary({ config: full, parameters, apply, dispose }, () => describe(full, parameters));
}

/** The model in a line, and its parameters by part. */
function describe(config: Required<TransformerConfig>, parameters: TransformerParameters): string {
  const { maxLength, classes, features, heads, layers } = config;
  const parts = Object.entries(parameters).flatMap(([part, own]: [string, object]) =>
    Array.isArray(own) ? own.map((each: object, i): [string, object] => [`${part}.${i}`, each]) : [[part, own]],
  ) as [string, object][];
  const rows = parts.map(([part, own]) => ({ part, parameters: formatCount(countParameters(own)) }));
  const sum = { part: "all", parameters: formatCount(countParameters(parameters)) };
  const lines = [...rows, sum].map(({ part, parameters }) => `  ${part.padEnd(12)}${parameters.padStart(14)}`);
  const size = `${layers} ${layers === 1 ? "layer" : "layers"} of ${features} features and ${heads} heads`;
  return [`Transformer of ${size}, at most ${maxLength} tokens to ${classes} classes; parameters:`, ...lines].join(
    "\n",
  );
}

function embedded(table: Variable<Rank.R2>, { ids, features }: BatchTensors): Tensor2D {
  if (!features) return embedding(table, ids);
  const [width] = table.shape;
  if (features.shape[1] !== width) {
    throw new RangeError(
      `the sequences have ${features.shape[1]} features per step, but the model's vocabularySize is ${width}`,
    );
  }
  return tf.matMul(features, table as Tensor2D);
}

function encoderLayer(
  x: Tensor2D,
  p: LayerParameters,
  inputs: BatchTensors,
  { rows, time }: Batch,
  { heads, activation }: Required<TransformerConfig>,
  drop: () => Dropout | undefined,
): Tensor2D {
  const attend = () => {
    const projected = tf.tidy(() => {
      const normed = layerNorm(x, p.attentionNorm.scale, p.attentionNorm.offset);
      return linear(normed, p.projection.weight, p.projection.bias);
    });
    const mixed = attention(projected, { rows, time, heads, bias: inputs.attentionMask, dropout: drop() });
    return addWithDropout(x, linear(mixed, p.attentionOutput.weight, p.attentionOutput.bias), drop());
  };
  const attended = profileScope("attention", () => tf.tidy(attend));
  return profileScope("feedForward", () => {
    const hidden = tf.tidy(() => {
      const normed = layerNorm(attended, p.feedForwardNorm.scale, p.feedForwardNorm.offset);
      return activation === "relu"
        ? linearRelu(normed, p.up.weight, p.up.bias, drop())
        : seededDropout(gelu(linear(normed, p.up.weight, p.up.bias)), drop());
    });
    return addWithDropout(attended, linear(hidden, p.down.weight, p.down.bias), drop());
  });
}

function complete(config: TransformerConfig): Required<TransformerConfig> {
  const full: Required<TransformerConfig> = {
    hidden: 4 * config.features,
    dropout: 0.1,
    activation: "relu",
    positions: "sinusoidal",
    seed: 0,
    ...config,
  };
  for (const name of ["vocabularySize", "classes", "maxLength", "features", "heads", "layers", "hidden"] as const) {
    checkPositiveInteger(name, full[name]);
  }
  if (full.features % full.heads !== 0) {
    throw new RangeError(`features must be a multiple of heads, got ${full.features} features and ${full.heads} heads`);
  }
  if (!(full.dropout >= 0 && full.dropout < 1)) throw new RangeError(`dropout must be in [0, 1), got ${full.dropout}`);
  return full;
}

function initialParameters(config: Required<TransformerConfig>): TransformerParameters {
  const { features, hidden } = config;
  const rng = random(config.seed);
  const norm = (): NormParameters => ({ scale: constant([features], 1), offset: constant([features], 0) });
  return {
    tokens: normal(rng, [config.vocabularySize, features], 1),
    ...(config.positions === "learned" ? { positions: normal(rng, [config.maxLength, features], 1) } : {}),
    layers: Array.from({ length: config.layers }, () => ({
      attentionNorm: norm(),
      projection: { weight: xavier(rng, [features, 3 * features]), bias: constant([3 * features], 0) },
      attentionOutput: { ...fromFanIn(rng, features, features), bias: constant([features], 0) },
      feedForwardNorm: norm(),
      up: fromFanIn(rng, features, hidden),
      down: fromFanIn(rng, hidden, features),
    })),
    norm: norm(),
    classifier: fromFanIn(rng, features, config.classes),
  };
}

/** PyTorch's `nn.Linear`: weight and bias uniform within `1 / sqrt(in)`. */
function fromFanIn(rng: Random, size: number, out: number): LinearParameters {
  const bound = 1 / Math.sqrt(size);
  return { weight: uniform(rng, [size, out], bound), bias: uniform(rng, [out], bound) };
}

/** `[length, features]`: `sin(p / 10000^(2i/features))` at even features, the cosine at odd ones. */
function sinusoids(length: number, features: number): Tensor2D {
  const values = new Float32Array(length * features);
  for (let p = 0; p < length; p++) {
    for (let f = 0; f < features; f++) {
      const angle = p / 10000 ** ((2 * (f >> 1)) / features);
      values[p * features + f] = f % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return tf.keep(tf.tensor2d(values, [length, features]));
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
