import type { MemoryPrediction } from "../memory/prediction.ts";
import { hasKernels } from "../runtime/native/kernels/index.ts";
import type { TransformerConfig } from "./models/transformer-classifier.ts";
import type { LanguageModelConfig } from "./models/transformer-language-model.ts";

const FLOAT = 4;

/** What the two kinds of models need to know of each other's configuration. */
interface Sizes {
  vocabularySize: number;
  maxLength: number;
  features: number;
  heads: number;
  layers: number;
  keyValueHeads: number;
  hidden: number;
  dropout: number;
  activation: "relu" | "gelu" | "geluTanh" | "swiGLU";
  norm: "layerNorm" | "rmsNorm";
  positions: "learned" | "sinusoidal" | "rotary";
  bias: boolean;
  /** Parameters of the output layer. */
  output: number;
  /** Logits for each position, which the loss saves once; 0 in a classifier, which has them for each sequence. */
  logits: number;
}

function sizesOf(config: TransformerConfig | LanguageModelConfig): Sizes {
  const { features, heads, vocabularySize, maxLength, layers, hidden = 4 * features, dropout = 0.1 } = config;
  const common = { features, heads, vocabularySize, maxLength, layers, hidden, dropout };
  if ("classes" in config) {
    const { activation = "relu", positions = "sinusoidal", classes } = config;
    const output = (features + 1) * classes;
    return { ...common, activation, positions, keyValueHeads: heads, norm: "layerNorm", bias: true, output, logits: 0 };
  }
  const { activation = "gelu", positions = "learned", keyValueHeads = heads, norm = "layerNorm" } = config;
  const output = (config.tied ?? true) ? 0 : features * vocabularySize;
  const { bias = true } = config;
  return { ...common, activation, positions, keyValueHeads, norm, bias, output, logits: vocabularySize };
}

/** The number of parameters of a Transformer classifier or language model. */
export function transformerParameterCount(config: TransformerConfig | LanguageModelConfig): number {
  const { vocabularySize, maxLength, features: d, layers, hidden, positions, ...rest } = sizesOf(config);
  const { heads, keyValueHeads, bias, norm, activation, output } = rest;
  const affine = (size: number, out: number) => size * out + (bias ? out : 0);
  const normal = norm === "layerNorm" && bias ? 2 * d : d;
  const ups = activation === "swiGLU" ? 2 : 1;
  const attention = affine(d, ((heads + 2 * keyValueHeads) * d) / heads) + affine(d, d);
  const layer = 2 * normal + attention + ups * affine(d, hidden) + affine(hidden, d);
  return (vocabularySize + (positions === "learned" ? maxLength : 0)) * d + layers * layer + normal + output;
}

/**
 * Predicts the bytes of a training step on a batch of `rows` by `time` tokens from the sizes and the kernels in use, for a
 * Transformer classifier or language model.
 *
 * A layer saves for each token the normalised and scaled rows of both norms, the queries, keys, values and the attention's
 * output (8 rows of `features`), the feed-forward activation (`hidden`), two inverse deviations, and a number for each head. Without
 * kernels attention saves `heads * time` weights for each token, and dropout one byte for each value that it may drop. Rotary
 * positions and fewer heads of keys and values save the output twice, by head and by token. A language model's loss saves its
 * logits, or without kernels their gradient.
 */
export function predictTransformerMemory(
  config: TransformerConfig | LanguageModelConfig,
  { rows, time }: { rows: number; time: number },
): MemoryPrediction {
  const { features: d, heads, keyValueHeads, layers, hidden, dropout, activation, positions, logits } = sizesOf(config);
  const tokens = rows * time;
  const parameters = FLOAT * transformerParameterCount(config);
  const attentionMask = dropout > 0 ? 1 : 0;
  const isFused = hasKernels();
  // A kernel draws the mask again.
  const mask = isFused ? 0 : attentionMask;
  const isApart = positions === "rotary" || keyValueHeads < heads;
  const attended = 6 + (2 * keyValueHeads) / heads + (isApart ? 1 : 0);
  const feedForward = hidden * savedOfHidden(activation, mask);
  const layer = tokens * (attended * d * FLOAT + 2 * FLOAT + feedForward + 2 * mask * d);
  const ends = tokens * (2 * d * FLOAT + FLOAT + mask * d + logits * FLOAT);
  const weights = tokens * heads * time;
  const wideRows = isFused
    ? { relu: 3, gelu: 2, geluTanh: 2, swiGLU: 3 }
    : { relu: 3, gelu: 5, geluTanh: 5, swiGLU: 5 };
  const prediction = {
    parameters,
    gradients: parameters,
    optimizer: 2 * parameters,
    activations: layers * layer + ends,
    attention: isFused ? layers * tokens * heads * FLOAT : layers * weights * (FLOAT + attentionMask),
    working: Math.max(
      wideRows[activation] * tokens * hidden * FLOAT,
      // The feed-forward part of the last layer has been freed by then.
      (isFused ? 0 : attentionMask ? 3 : 2) * weights * FLOAT + 5 * tokens * d * FLOAT - tokens * feedForward,
      // The gradient of the logits; without kernels the logits, and two steps of it.
      (isFused ? 1 : 3) * tokens * logits * FLOAT,
    ),
  };
  return { ...prediction, total: Object.values(prediction).reduce((sum, bytes) => sum + bytes, 0) - parameters };
}

/**
 * Bytes saved for each value of the hidden layer, and a byte where it can be dropped. The rectifier is kept as its result alone;
 * GELU needs its input and its result; SwiGLU needs the gate before and after its activation, the other factor, and their product.
 */
function savedOfHidden(activation: Sizes["activation"], mask: number): number {
  if (activation === "relu") return FLOAT;
  return (activation === "swiGLU" ? 4 : 2) * FLOAT + mask;
}
