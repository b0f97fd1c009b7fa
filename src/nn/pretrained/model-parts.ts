import type { Backbone, HeadPlan } from "./architecture.ts";
import type { Config } from "./config.ts";
import type { WeightPlan } from "./read-weights.ts";
import type { PretrainedHead, PretrainedParameters } from "./types.ts";

/** What a model is made of. */
export interface ModelParts {
  folder: string;
  config: Config;
  /** The contents of its file. */
  configText: string;
  backbone: Backbone;
  head: PretrainedHead;
  headPlan: HeadPlan | undefined;
  /** The names of the classes of a classification. */
  labels: readonly string[] | undefined;
  /** The tokens that end a generated sequence, of a causal language model. */
  stopTokens: readonly number[] | undefined;
  plan: WeightPlan;
  parameters: PretrainedParameters;
}
