export type { PretrainedSizes } from "./architecture.ts";
export { pretrained } from "./pretrained.ts";
export type {
  ClassCount,
  HiddenStates,
  Pretrained,
  PretrainedHead,
  PretrainedModel,
  PretrainedOptions,
  PretrainedOutputs,
  PretrainedParameters,
  SavePretrainedOptions,
} from "./types.ts";
