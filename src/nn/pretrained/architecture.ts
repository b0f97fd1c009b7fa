import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import type { Batch } from "../../batching/batch.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import type { ApplyOptions } from "../layer.ts";
import type { AttentionMask } from "../ops/attention-mask.ts";
import type { KeyValueCache } from "../ops/key-value-cache.ts";
import type { Config } from "./config.ts";
import type { Matrix, ParametersOfWeights } from "./weight.ts";

/**
 * One architecture of Hugging Face's transformers, in a file of its own: it reads its config, names its weights as a checkpoint
 * has them, and computes its hidden states from the library's layers. `bert.ts` is the model for the others, and
 * `architectures.ts` has the table.
 */
export type Architecture = (config: Config) => Backbone;

/** A rectangle of tokens on its way through a model. */
export interface TokenInputs {
  rows: number;
  time: number;
  /** `[rows * time]` */
  ids: Tensor1D;
  /** The position of each token in its own sequence, from the backbone's first one, `[rows * time]`. */
  positions: Tensor1D;
  /** `token_type_ids`, `[rows * time]`; absent where all are 0. */
  typeIds?: Tensor1D | undefined;
  /** Which tokens see each other, prepared once for all layers; causal where the backbone is. */
  mask: AttentionMask | undefined;
  /** The mask of layers that see only near tokens; absent where `mask` is theirs too. */
  nearMask?: AttentionMask | undefined;
  /** One for each layer, when generating with a cache. */
  caches?: readonly KeyValueCache[] | undefined;
  /** Is given the input of each layer, for the hidden states; passed to `throughLayers`. */
  visit?: ((x: AnyTensor) => void) | undefined;
}

/** The sizes of a model. */
export interface PretrainedSizes {
  vocabularySize: number;
  /** The longest sequence. */
  maxLength: number;
  features: number;
  heads: number;
  layers: number;
  /** The width of the feed-forward part. */
  hidden: number;
}

/** A model without a head. */
export interface Backbone {
  /** The start of transformers' class names: `Bert` of `BertModel`. */
  className: string;
  /** What the names of its tensors begin with in a checkpoint with a head, `bert.`; weights are named with it. */
  prefix: string;
  sizes: PretrainedSizes;
  /** Whether a token sees no later ones. */
  isCausal: boolean;
  /** The number of the first position; 0 by default. */
  firstPosition?: number;
  /** How many places away a token sees others in the layers that see only near ones, for `nearMask`. */
  window?: number;
  /** A tree of weights. `tokens: [vocabularySize, features]` is the embedding table. */
  weights: { tokens: Matrix; layers: readonly object[] };
  /** Tensors of checkpoints that are not parameters, such as buffers of positions. */
  ignored?: RegExp;
  /** Hidden states after the last layer and norm, `[rows * time, features]`. */
  run(parameters: never, inputs: TokenInputs, options: ApplyOptions): AnyTensor;
  heads: { readonly [H in ArchitectureHead]?: (classes: number) => HeadPlan };
}

/** The heads that an architecture has of its own. */
export type ArchitectureHead =
  | "hiddenStates"
  | "sequenceClassification"
  | "tokenClassification"
  | "maskedLanguageModel"
  | "causalLanguageModel";

/** What a head is given. */
export interface HeadContext {
  /** Hidden states, `[rows * time, features]`; when generating only those of the last token of each row. */
  x: AnyTensor;
  /** The batch, of which heads with a result for each sequence need to know where these are; absent when generating. */
  batch: Batch | undefined;
  /** The embedding table, to which an output layer may be tied. */
  tokens: AnyTensor;
  options: ApplyOptions;
}

/** A head. Its parameters stand under `head` in the model's tree. */
export interface HeadPlan {
  /** The end of transformers' class name: `ForSequenceClassification`. */
  className: string;
  /** A tree of weights. What a checkpoint lacks is initialised anew, one linear map or norm at a time, and reported. */
  weights: object;
  /** Whether what a checkpoint lacks is left out instead. */
  isOptional?: boolean;
  /** Names under which a checkpoint may have tensors again, such as an output layer that is the embedding table. */
  duplicates?: readonly string[];
  /**
   * Its result for `context.x`. A head with a result for each token gives rows, `[rows * time, ...]`, from which the model makes
   * `[rows, time, ...]`.
   */
  apply(parameters: never, context: HeadContext): unknown;
}

/** The weights of a model with a head, which stand under `head`. */
export const modelWeights = ({ weights }: Backbone, head: HeadPlan | undefined) => ({
  ...weights,
  ...(head && { head: head.weights }),
});

/** A backbone whose `run` knows the types of its parameters. */
export const backbone = <W extends Backbone["weights"]>(
  plan: Omit<Backbone, "weights" | "run"> & {
    weights: W;
    run(parameters: ParametersOfWeights<W>, inputs: TokenInputs, options: ApplyOptions): AnyTensor;
  },
): Backbone => plan as Backbone;

/** A head whose `apply` knows the types of its parameters. */
export const headPlan = <W extends object>(
  plan: Omit<HeadPlan, "weights" | "apply"> & {
    weights: W;
    apply(parameters: ParametersOfWeights<W>, context: HeadContext): unknown;
  },
): HeadPlan => plan as HeadPlan;
