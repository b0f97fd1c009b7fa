export type { Dropout } from "../tensor/dropout-mask.ts";
export type { ApplyOptions, Layer, Model } from "./layer.ts";
export { addWithDropout } from "./ops/add-with-dropout.ts";
export { type AttentionOptions, attention } from "./ops/attention.ts";
export { embedding } from "./ops/embedding.ts";
export { linear, linearRelu } from "./ops/linear.ts";
export { meanPool } from "./ops/pool.ts";
export { predictTransformerMemory, transformerParameterCount } from "./predict-memory.ts";
export {
  type Classifier,
  labelTensor,
  type TransformerConfig,
  type TransformerParameters,
  transformerClassifier,
} from "./transformer.ts";
