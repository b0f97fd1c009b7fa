export { type ActivationCurve, activation, activationGradient, reluGradient } from "./activation.ts";
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
export { isForKernel, ownProduct, productWithBias } from "./matmul.ts";
export { norm, normGradients } from "./norm.ts";
export { gruStep, gruStepGradient, lstmStep, lstmStepGradient } from "./recurrent.ts";
export { softmax, softmaxGradient } from "./softmax.ts";
export { globalNorm, type UpdateRule, updateNumbers, updateStep } from "./update.ts";
