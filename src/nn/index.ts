export type { Dropout } from "../tensor/dropout-mask.ts";
export { type Initialiser, type Parameter, xavierUniform } from "./initialisers.ts";
export type { ApplyOptions, Layer, Model } from "./layer.ts";
export { type DropoutOptions, dropout } from "./layers/dropout.ts";
export { type Embedding, type EmbeddingOptions, type EmbeddingParameters, embedding } from "./layers/embedding.ts";
export { flatten } from "./layers/flatten.ts";
export { type Linear, type LinearOptions, type LinearParameters, linear } from "./layers/linear.ts";
export {
  type LayerNorm,
  layerNorm,
  type NormOptions,
  type NormParameters,
  type RmsNorm,
  rmsNorm,
} from "./layers/normalization.ts";
export { type Sequential, sequential } from "./layers/sequential.ts";
export type { ShapeRule } from "./layers/shape-rule.ts";
export type { TensorLayer } from "./layers/tensor-layer.ts";
export { modelOf } from "./model-of.ts";
export { addWithDropout } from "./ops/add-with-dropout.ts";
export { type AttentionOptions, attention } from "./ops/attention.ts";
export { linearRelu } from "./ops/linear.ts";
export { meanPool } from "./ops/pool.ts";
export {
  type ScaledDotProductAttentionOptions,
  scaledDotProductAttention,
} from "./ops/scaled-dot-product-attention.ts";
export { predictTransformerMemory, transformerParameterCount } from "./predict-memory.ts";
export {
  type Classifier,
  labelTensor,
  type TransformerConfig,
  type TransformerParameters,
  transformerClassifier,
} from "./transformer.ts";
