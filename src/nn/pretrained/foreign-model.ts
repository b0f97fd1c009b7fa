// A pretrained model as transformers and PEFT know it.
import type { ForeignModel, ForeignWeight } from "../lora/foreign-names.ts";
import { modelWeights } from "./architecture.ts";
import type { ModelParts } from "./model-parts.ts";
import type { PretrainedHead } from "./types.ts";
import { bareName, weightList } from "./weight.ts";

const tasks = {
  ...{ sequenceClassification: "SEQ_CLS", tokenClassification: "TOKEN_CLS", causalLanguageModel: "CAUSAL_LM" },
  ...{ hiddenStates: "FEATURE_EXTRACTION", sentenceEmbedding: "FEATURE_EXTRACTION", maskedLanguageModel: undefined },
} as const satisfies Record<PretrainedHead, ForeignModel["task"]>;

/** The weights of a model with transformers' names, which in a model without a head lack the prefix. */
export function foreignWeights({ backbone, headPlan }: ModelParts): ForeignWeight[] {
  const isBare = !headPlan || headPlan.className === "Model";
  return weightList(modelWeights(backbone, headPlan)).map(({ path, weight: { tensors, isTransposed } }) => ({
    ...{ path, isTransposed },
    tensors: isBare ? tensors.map(({ name, shape }) => ({ name: bareName(name, backbone.prefix), shape })) : tensors,
  }));
}

/** The model of transformers that this one is. */
export function foreignModel(parts: ModelParts): ForeignModel {
  const { backbone, head, folder } = parts;
  const weights = foreignWeights(parts);
  const isOfTask = ({ path, tensors }: ForeignModel["weights"][number]) =>
    path.startsWith("head.") && tensors.every(({ name }) => !name.startsWith(backbone.prefix));
  const taskLayers = head.endsWith("Classification") ? weights.filter(isOfTask).map(({ path }) => path) : [];
  return { weights, task: tasks[head], source: folder, taskLayers };
}
