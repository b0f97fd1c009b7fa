import type { MemoryPrediction } from "../memory/prediction.ts";
import type { TransformerConfig } from "./models/transformer-classifier.ts";

const FLOAT = 4;

/** The number of parameters of a Transformer classifier. */
export function transformerParameterCount(config: TransformerConfig): number {
  const { vocabularySize, classes, maxLength, features: d, layers, hidden = 4 * d, positions } = config;
  const layer = 2 * 2 * d + (d * 3 * d + 3 * d) + (d * d + d) + (d * hidden + hidden) + (hidden * d + d);
  return (
    (vocabularySize + (positions === "learned" ? maxLength : 0)) * d + layers * layer + 2 * d + d * classes + classes
  );
}

/**
 * Predicts the bytes of a training step on a batch of `rows` by `time` tokens from the sizes alone.
 *
 * A layer saves for each token the normalised and scaled rows of both norms, the queries, keys, values and the attention's
 * output (8 rows of `features`), the feed-forward activation (`hidden`), two inverse deviations, and with dropout one byte for
 * each value that can be dropped. Attention saves `heads * time` weights for each token, and with dropout a byte each.
 */
export function predictTransformerMemory(
  config: TransformerConfig,
  { rows, time }: { rows: number; time: number },
): MemoryPrediction {
  const { features: d, heads, layers, hidden = 4 * d, dropout = 0.1, activation = "relu" } = config;
  const tokens = rows * time;
  const parameters = FLOAT * transformerParameterCount(config);
  const mask = dropout > 0 ? 1 : 0;
  // The rectifier is kept as its result alone; GELU needs its input, and dropout after it a mask and a result.
  const feedForward = hidden * (activation === "relu" ? FLOAT : 2 * FLOAT + mask * (FLOAT + 1));
  const layer = tokens * (8 * d * FLOAT + 2 * FLOAT + feedForward + 2 * mask * d);
  const ends = tokens * (2 * d * FLOAT + FLOAT + mask * d);
  const weights = tokens * heads * time;
  const prediction = {
    parameters,
    gradients: parameters,
    optimizer: 2 * parameters,
    activations: layers * layer + ends,
    attention: layers * weights * (FLOAT + mask),
    working: Math.max(
      (activation === "relu" ? 3 : 5) * tokens * hidden * FLOAT,
      (mask ? 3 : 2) * weights * FLOAT + 5 * tokens * d * FLOAT,
    ),
  };
  return { ...prediction, total: Object.values(prediction).reduce((sum, bytes) => sum + bytes, 0) - parameters };
}
