// What the heads of several architectures have in common.
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../../batching/batch.ts";
import { tf } from "../../runtime/index.ts";
import { stepInput } from "../../runtime/native/capture/step-inputs.ts";
import { add } from "../../tensor/arithmetic.ts";
import { seededDropout } from "../../tensor/dropout.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { poolingTensors } from "../batch-tensors.ts";
import type { ApplyOptions } from "../layer.ts";
import { affine, dropoutAt } from "../layers/heads.ts";
import { vocabularyLogits } from "../models/transformer-parts.ts";
import { embedding } from "../ops/embedding.ts";
import { meanPool } from "../ops/pool.ts";
import { type HeadContext, type HeadPlan, headPlan } from "./architecture.ts";
import { linearWeights } from "./weight.ts";

/** The first or last token of each sequence of a batch: `[rows * time, features]` to `[sequences, features]`. */
export const tokenOfSequences = ({ x, batch }: HeadContext, which: "first" | "last"): AnyTensor =>
  embedding(x, stepInput(placesOf, batch!, which)) as AnyTensor;

/** The places of these tokens, `[sequences]`. */
function placesOf({ rows, time, segments }: Batch, which: "first" | "last"): Tensor1D {
  const places: number[] = [];
  for (let row = 0; row < rows; row++)
    for (let at = row * time; at < (row + 1) * time; at++) {
      const other = which === "first" ? at - 1 : at + 1;
      const isInside = other >= row * time && other < (row + 1) * time;
      if (segments[at]! > 0 && (!isInside || segments[other] !== segments[at])) places.push(at);
    }
  return tf.tensor1d(places, "int32");
}

/** The mean of each sequence's tokens: `[rows * time, features]` to `[sequences, features]`. */
export function meanOfSequences(x: AnyTensor, batch: Batch): AnyTensor {
  const { meanWeights, sequences } = stepInput(poolingTensors, batch);
  const all = meanPool(x as Tensor2D, meanWeights);
  return (sequences ? embedding(all, sequences) : all) as AnyTensor;
}

/** Dropout at the rate of a config. */
export const dropped = (x: AnyTensor, rate: number, options: ApplyOptions): AnyTensor =>
  seededDropout(x, dropoutAt(rate, options));

/** A linear map of each token after dropout. */
export const tokenClassifier = (features: number, classes: number, dropout: number, name = "classifier"): HeadPlan =>
  headPlan({
    className: "ForTokenClassification",
    weights: { classifier: linearWeights(name, { in: features, out: classes }) },
    apply: (p, { x, options }) => affine(dropped(x, dropout, options), p.classifier),
  });

/** Scores of the vocabulary for each token: by a weight of the head or else by the embedding table, and a bias where there is one. */
export function vocabularyScores(
  x: AnyTensor,
  tokens: AnyTensor,
  { weight, bias }: { weight?: AnyTensor; bias?: AnyTensor } = {},
): AnyTensor {
  const scores = vocabularyLogits(x, tokens, weight && { weight });
  return bias ? (add(scores, bias) as AnyTensor) : scores;
}
