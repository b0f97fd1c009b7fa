export { type ActivationCurve, activation, activationGradient, reluGradient } from "./activation.ts";
export { adamStep, globalNorm } from "./adam.ts";
export {
  type Attended,
  type AttentionRule,
  attention,
  attentionGradients,
  attentionScoresGradient,
} from "./attention.ts";
export { biasAdd } from "./bias.ts";
export { columnSums } from "./column-sums.ts";
export { crossEntropy, crossEntropyGradient } from "./cross-entropy.ts";
export { type DropoutMask, dropout, dropoutAndAdd } from "./dropout.ts";
export { hasKernels, setKernels } from "./load.ts";
export { norm, normGradients } from "./norm.ts";
export { gruStep, gruStepGradient, lstmStep, lstmStepGradient } from "./recurrent.ts";
export { softmax, softmaxGradient } from "./softmax.ts";
