// What the Transformer models share: positions, initial values, checks and the summary.

import type { Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { checkPositiveInteger } from "../../base/checks.ts";
import { counted } from "../../base/counted.ts";
import type { Random } from "../../data/random.ts";
import { defineSummary, formatCount } from "../../display/define-summary.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { mul } from "../../tensor/arithmetic.ts";
import { seededDropout } from "../../tensor/dropout.ts";
import { checkpoint } from "../../tensor/grad.ts";
import { countParameters, parameterList } from "../../tensor/index.ts";
import { batchMatmul } from "../../tensor/matmul.ts";
import { randn } from "../../tensor/random.ts";
import type { AnyTensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { parameter, standardNormal } from "../initialisers.ts";
import type { ApplyOptions } from "../layer.ts";
import { affine, dropoutAt } from "../layers/heads.ts";
import { addWithDropout } from "../ops/add-with-dropout.ts";
import { embedding } from "../ops/embedding.ts";

/** `[length, features]`: `sin(p / 10000^(2i/features))` at even features, the cosine at odd ones. */
export function sinusoids(length: number, features: number): Tensor2D {
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
 * A table of tokens, `[vocabulary, features]`: standard normal, as PyTorch's, or, where it also gives the logits, with the deviation
 * of an output layer.
 */
export const tokenTable = (vocabulary: number, features: number, tied: boolean, rng: Random) =>
  parameter<[number, number]>(
    "tokens",
    tied ? (shape, options) => randn(shape, { ...options, std: features ** -0.5 }) : standardNormal,
    [vocabulary, features],
    rng,
  );

/**
 * Rows of a table, `[rows * time, features]`. Those of a table that also gives the logits are multiplied by the square root of
 * the features (Vaswani et al. 2017, section 3.4); otherwise positions of size 1 would hide them.
 */
export function tokenRows(table: TensorOperand, ids: AnyTensor, isScaled: boolean): AnyTensor {
  const rows = embedding(table as AnyTensor, ids) as AnyTensor;
  return isScaled ? (mul(rows, Math.sqrt(rows.shape[1]!)) as AnyTensor) : rows;
}

/** Rows of tokens with their positions added, after dropout: `[rows * time, features]`. */
export function withPositions(
  tokens: () => AnyTensor,
  table: TensorOperand | undefined,
  positions: AnyTensor,
  rate: number,
  options: ApplyOptions,
): AnyTensor {
  const placed = (): AnyTensor =>
    table ? addWithDropout(tokens(), embedding(table as AnyTensor, positions) as AnyTensor, undefined) : tokens();
  return tf.tidy(() => seededDropout(placed(), dropoutAt(rate, options)));
}

/** Rows of tokens through the layers of a model; each layer's input is freed after it, and `visit` is given it before. */
export function throughLayers<P>(
  rows: AnyTensor,
  layers: readonly P[],
  layer: (x: AnyTensor, parameters: P, index: number) => AnyTensor,
  { gradientCheckpointing = false }: ApplyOptions,
  visit?: (x: AnyTensor) => void,
): AnyTensor {
  // The caller of `visit` holds every layer's input in any case.
  const isApart = gradientCheckpointing !== false && !visit;
  const inTurn = (first: AnyTensor, start: number, end: number): AnyTensor => {
    let x = first;
    for (let i = start; i < end; i++) {
      const before = x;
      visit?.(x);
      x = profileScope(`layers.${i}`, () => tf.tidy(() => layer(before, layers[i]!, i)));
      if (before !== first || !isApart) before.dispose();
    }
    return x;
  };
  if (!isApart) return inTurn(rows, 0, layers.length);
  const length = segmentLength(gradientCheckpointing);
  let x = rows;
  for (let start = 0; start < layers.length; start += length) {
    const before = x;
    const end = Math.min(start + length, layers.length);
    x = checkpoint((given: AnyTensor) => inTurn(given, start, end))(before);
    before.dispose();
  }
  return x;
}

/** Throws RangeError for a number of layers that is not a positive integer. */
function segmentLength(gradientCheckpointing: boolean | number): number {
  if (typeof gradientCheckpointing === "boolean") return 1;
  checkPositiveInteger("gradientCheckpointing", gradientCheckpointing);
  return gradientCheckpointing;
}

/** Scores of the vocabulary for `[rows, features]`: by an output layer, or else by the embedding table. */
export const vocabularyLogits = (
  rows: AnyTensor,
  table: TensorOperand,
  output: { weight: TensorOperand } | undefined,
): AnyTensor =>
  profileScope("output", () => (output ? affine(rows, output) : batchMatmul(rows, table as AnyTensor, false, true)));

/** The last position of each row: `[rows * time, features]` to `[rows, features]`. */
export const lastOfRows = (x: AnyTensor, { rows, time }: { rows: number; time: number }): AnyTensor =>
  tf.reshape(tf.slice(tf.reshape(x, [rows, time, -1]), [0, time - 1, 0], [-1, 1, -1]), [rows, -1]);

/** Throws RangeError when a batch is longer than a model takes. */
export function checkLength(time: number, maxLength: number): void {
  if (time > maxLength)
    throw new RangeError(`the batch is ${time} tokens long, but the model's maxLength is ${maxLength}`);
}

/** Throws RangeError for a size that is not a positive integer. */
export function checkSizes(sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) checkPositiveInteger(name, size);
}

/**
 * GPT-2's initial values (Radford et al. 2019): normal with deviation 0.02, divided by the square root of the number of residual
 * sums for the weights before one; biases 0. Norms stay as they are.
 */
export function drawAsGpt2(parameters: object, sums: number, rng: Random): void {
  for (const { name, variable } of parameterList(parameters)) {
    if (/(^|\.)(scale|offset)$/.test(name)) continue;
    const isBias = name.endsWith(".bias");
    const deviation = /(attentionOutput|crossOutput|down)\.weight$/.test(name) ? 0.02 / Math.sqrt(sums) : 0.02;
    const values = Float32Array.from({ length: variable.size }, () => (isBias ? 0 : deviation * rng.normal()));
    const initial = tf.tensor(values, variable.shape);
    variable.assign(initial);
    initial.dispose();
  }
}

/** Gives a model its summary: a line, and the parameters by part. */
export const withParts = <M extends { parameters: object }>(model: M, line: string): M =>
  defineSummary(model, () => {
    const { parameters } = model;
    const parts = Object.entries(parameters).flatMap(([part, own]: [string, object]) =>
      Array.isArray(own) ? own.map((each: object, i): [string, object] => [`${part}.${i}`, each]) : [[part, own]],
    ) as [string, object][];
    const rows = parts.map(([part, own]) => ({ part, parameters: formatCount(countParameters(own)) }));
    const sum = { part: "all", parameters: formatCount(countParameters(parameters)) };
    const width = Math.max(12, ...rows.map(({ part }) => part.length + 1));
    const lines = [...rows, sum].map((row) => `  ${row.part.padEnd(width)}${row.parameters.padStart(14)}`);
    return [`${line}; parameters:`, ...lines].join("\n");
  });

/** "2 layers of 16 features and 4 heads" */
export const sizeText = (layers: number, features: number, heads: number): string =>
  `${counted(layers, "layer")} of ${features} features and ${heads} heads`;
