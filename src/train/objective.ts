import type { Scalar } from "@tensorflow/tfjs-node-gpu";
import type { Tensor } from "../tensor/types/tensor.ts";
import type { Figure } from "./figure.ts";

/**
 * A training objective by name. `"crossEntropy"`, `"meanSquaredError"` and `"binaryCrossEntropy"` compare the outputs with
 * `batch.labels`. `"tokenCrossEntropy"` has a class for each token, `batch.tokenLabels`, and `"nextToken"` predicts the ids of the
 * batch shifted by one within each sequence; where the batch has several sequences an example, both are those of its `target`.
 */
export type Objective = "crossEntropy" | "meanSquaredError" | "binaryCrossEntropy" | "tokenCrossEntropy" | "nextToken";

/** The part of a batch whose tokens are predicted. */
type Predicted<B> = B extends { readonly target: infer T } ? T : B;

/** The objectives for which a batch has what they need. */
export type ObjectiveOf<B> =
  | ("labels" extends keyof B ? "crossEntropy" | "meanSquaredError" | "binaryCrossEntropy" : never)
  | ("tokenLabels" extends keyof Predicted<B> ? "tokenCrossEntropy" : never)
  | ("ids" extends keyof Predicted<B> ? "nextToken" : never);

/** A loss with what is reported beside it. */
export interface LossResult {
  /** The mean that is minimised. */
  loss: Tensor<[], "float32">;
  /** Figures by name, for instance `accuracy`: means over what the loss is a mean over. */
  metrics?: Readonly<Record<string, Tensor<[]> | number>>;
  /**
   * How many the loss is a mean over, for instance counted tokens, so that accumulated batches and evaluations equal one large
   * batch. By default the number of examples: that of `batch.indices` or `batch.labels`, or else the first axis of the
   * batch's tensors and lists or of the outputs, where they have the same one.
   */
  weight?: number;
}

/** A training objective: the loss of a model's outputs for a batch, a scalar that depends on the parameters. */
export type LossFunction<Out, B> = (outputs: Out, batch: B) => Tensor<[], "float32"> | LossResult;

/**
 * What batches without labels need: the default loss compares the outputs with labels. The option itself says which losses there are;
 * a second type of functions here would leave the parameters of the user's function without types.
 */
export interface LossForBatchesWithoutLabels {
  loss: NonNullable<unknown>;
}

/** Requires a loss where the batches have no labels. */
export type LossIfNeeded<B> = "labels" extends keyof B ? unknown : LossForBatchesWithoutLabels;

/** The objective of one batch. */
export interface BatchObjective<Out> {
  /** How many the loss is a mean over; absent where only the loss function tells it, with the loss. */
  weight?: number;
  /** What a loss with a name compares the outputs with. */
  labels?: ArrayLike<number>;
  compute(outputs: Out): BatchLoss;
}

/** The loss of one batch. */
export interface BatchLoss {
  loss: Scalar;
  metrics: Record<string, Figure>;
  /** How many the loss is a mean over. */
  weight: number;
}
