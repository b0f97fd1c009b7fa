import type { Batch } from "../../batching/batch.ts";
import type { HubOptions } from "../../data/index.ts";
import type { Storage } from "../../storage/index.ts";
import type { Tensor } from "../../tensor/types/tensor.ts";
import type { Parameter } from "../initialisers.ts";
import type { ApplyOptions, Model } from "../layer.ts";
import type { GenerativeModel } from "../models/decoding.ts";
import type { PretrainedSizes } from "./architecture.ts";

/** What a pretrained model computes. */
export type PretrainedHead = keyof PretrainedOutputs<number>;

/** The outputs of a pretrained model by its head. */
export interface PretrainedOutputs<Classes extends number> {
  /** The model without a head. */
  hiddenStates: HiddenStates;
  /** Logits of each sequence, in the order of `batch.indices`. */
  sequenceClassification: Tensor<[number, Classes], "float32">;
  /** Logits of each token, `[rows, time, classes]`. */
  tokenClassification: Tensor<[number, number, Classes], "float32">;
  /** Logits of the vocabulary for each token itself, `[rows, time, vocabularySize]`. */
  maskedLanguageModel: Tensor<[number, number, number], "float32">;
  /** Logits of the vocabulary for the token after each, `[rows, time, vocabularySize]`. */
  causalLanguageModel: Tensor<[number, number, number], "float32">;
  /** A vector for each sequence, `[sequences, features]`. */
  sentenceEmbedding: Tensor<[number, number], "float32">;
}

/** The outputs of a model without a head. */
export interface HiddenStates {
  /** After the last layer: `[rows, time, features]`. */
  hidden: Tensor<[number, number, number], "float32">;
  /** BERT's pooled first token, `[sequences, features]`, where the checkpoint has the layer for it. */
  pooled?: Tensor<[number, number], "float32">;
}

/** The number of classes that is given as a number or by their names. */
export type ClassCount<C> = C extends number ? C : C extends readonly string[] ? C["length"] : number;

/** Options of `pretrained`. */
export interface PretrainedOptions<H extends PretrainedHead = PretrainedHead, C = number | readonly string[]> {
  /** What the model computes; `"hiddenStates"` by default. */
  head?: H;
  /** The classes of a classification, their number or their names; those of the config by default. */
  classes?: C;
  /** Makes a new head although the checkpoint has one, for instance for other classes; false by default. */
  newHead?: boolean;
  /** Seed of a new head; 0 by default. */
  seed?: number;
  /** Which revision of a model on the hub, and other options of `hubSnapshot`. */
  hub?: HubOptions;
  /** The storage type of the parameters; `"float32"` by default, `"checkpoint"` keeps that of the file. */
  dtype?: Storage | "checkpoint";
  /** How sentence embeddings are pooled and whether they have length 1; as the folder's modules.json says, or else `"mean"` and false. */
  pooling?: "mean" | "cls" | "last";
  normalize?: boolean;
}

/** Options of `PretrainedModel.save`. */
export interface SavePretrainedOptions {
  /** What is saved; the model's own parameters by default. */
  parameters?: PretrainedParameters;
  /** A larger model is written as several files; 1 GB by default. */
  maxShardBytes?: number;
}

/** The parameters of a pretrained model, a tree of variables. */
export interface PretrainedParameters {
  /** The embedding table, `[vocabularySize, features]`. */
  tokens: Parameter<[number, number]>;
  layers: object[];
  /** The parameters of the head, where it has any. */
  head?: object;
}

/** A model that was read from a checkpoint. */
export interface PretrainedModel<H extends PretrainedHead = PretrainedHead, Classes extends number = number>
  extends Model<PretrainedParameters, Batch, PretrainedOutputs<Classes>[H]> {
  /** The `model_type` of its config. */
  readonly architecture: string;
  readonly head: H;
  /** The contents of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly sizes: PretrainedSizes;
  /** The names of the classes of a classification; `LABEL_0` and so on where they have none. */
  readonly labels: readonly string[] | undefined;
  /** The folder that it was read from; its tokenizer.json is there. */
  readonly folder: string;
  /** Paths of parameters that the checkpoint lacks and that were initialised anew: train them before use. */
  readonly initialised: readonly string[];
  /** Tensors of the checkpoint that this head has no use for. */
  readonly unused: readonly string[];
  /**
   * What the head computes of a batch of token ids.
   *
   * @throws RangeError for a sequence longer than `sizes.maxLength`, or an id outside the vocabulary
   */
  apply(parameters: PretrainedParameters, batch: Batch, options?: ApplyOptions): PretrainedOutputs<Classes>[H];
  /** The input of the first layer and the output of each layer, `[rows, time, features]`; the last one after the last norm. */
  hiddenStates(
    parameters: PretrainedParameters,
    batch: Batch,
    options?: ApplyOptions,
  ): Tensor<[number, number, number], "float32">[];
  /**
   * Writes config.json, the weights and the tokenizer's files into a folder, as transformers' `save_pretrained`, which reads it.
   *
   * @throws UserError when a file cannot be written; RangeError unless `maxShardBytes` is a positive integer
   */
  save(folder: string, options?: SavePretrainedOptions): void;
  /** Disposes the parameters. */
  dispose(): void;
}

/** What `pretrained` gives: with a causal head, a model that generates. */
export type Pretrained<H extends PretrainedHead, Classes extends number> = PretrainedModel<H, Classes> &
  ("causalLanguageModel" extends H
    ? GenerativeModel<PretrainedParameters> & Required<Pick<GenerativeModel, "stopTokens">>
    : unknown);
