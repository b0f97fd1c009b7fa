export type { Dropout } from "../tensor/dropout-mask.ts";
export {
  type GainOptions,
  type Initialiser,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  orthogonal,
  type Parameter,
  type TruncatedNormalOptions,
  truncatedNormal,
  xavierNormal,
  xavierUniform,
} from "./initialisers.ts";
export type { ApplyOptions, Layer, Model } from "./layer.ts";
export { type BatchNorm, type BatchNormOptions, type BatchNormParameters, batchNorm } from "./layers/batch-norm.ts";
export {
  type ConvOptions,
  type ConvParameters,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose2d,
} from "./layers/convolution.ts";
export { type DropoutOptions, dropout } from "./layers/dropout.ts";
export { type Embedding, type EmbeddingOptions, type EmbeddingParameters, embedding } from "./layers/embedding.ts";
// Attention and Transformers.
export type { FeedForwardActivation, FeedForwardParameters, LayerNormParameters } from "./layers/feed-forward.ts";
export { flatten } from "./layers/flatten.ts";
export { type GroupNorm, type GroupNormOptions, groupNorm } from "./layers/group-norm.ts";
export { type Linear, type LinearOptions, type LinearParameters, linear } from "./layers/linear.ts";
export {
  type AttentionInput,
  type AttentionLinear,
  type CrossAttention,
  type CrossAttentionParameters,
  type HeadOptions,
  type MultiHeadAttention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
  type SelfAttentionParameters,
} from "./layers/multi-head-attention.ts";
export {
  type LayerNorm,
  layerNorm,
  type NormOptions,
  type NormParameters,
  type RmsNorm,
  rmsNorm,
} from "./layers/normalization.ts";
export { type AvgPoolOptions, avgPool1d, avgPool2d, maxPool1d, maxPool2d, type PoolOptions } from "./layers/pooling.ts";
export {
  type CellParameters,
  gru,
  lstm,
  type Recurrent,
  type RecurrentOptions,
  type RecurrentParameters,
} from "./layers/recurrent.ts";
export { type Sequential, sequential } from "./layers/sequential.ts";
export type { ShapeRule } from "./layers/shape-rule.ts";
export type { TensorLayer } from "./layers/tensor-layer.ts";
export {
  type DecoderInput,
  type TransformerDecoderLayer,
  type TransformerDecoderLayerParameters,
  transformerDecoderLayer,
} from "./layers/transformer-decoder-layer.ts";
export {
  type TransformerEncoderLayer,
  type TransformerEncoderLayerParameters,
  transformerEncoderLayer,
} from "./layers/transformer-encoder-layer.ts";
export type { TransformerLayerOptions } from "./layers/transformer-layer.ts";
export * from "./lora/index.ts";
export { modelOf } from "./model-of.ts";
export type { Decoding, GenerativeModel } from "./models/decoding.ts";
export {
  type GeneratedToken,
  type GenerateOptions,
  type GenerateStreamOptions,
  generate,
  generateStream,
} from "./models/generate.ts";
export type { SamplingOptions } from "./models/sampling.ts";
export {
  type Classifier,
  labelTensor,
  type TransformerConfig,
  type TransformerParameters,
  transformerClassifier,
} from "./models/transformer-classifier.ts";
export {
  type LanguageModel,
  type LanguageModelConfig,
  type LanguageModelParameters,
  transformerLanguageModel,
} from "./models/transformer-language-model.ts";
export {
  type Seq2Seq,
  type Seq2SeqBatch,
  type Seq2SeqConfig,
  type Seq2SeqParameters,
  transformerSeq2Seq,
} from "./models/transformer-seq2seq.ts";
export { addWithDropout } from "./ops/add-with-dropout.ts";
export { type AttentionOptions, attention } from "./ops/attention.ts";
export { KeyValueCache } from "./ops/key-value-cache.ts";
export { linearRelu } from "./ops/linear.ts";
export { meanPool } from "./ops/pool.ts";
export { rotaryEmbedding } from "./ops/rotary.ts";
export {
  type ScaledDotProductAttentionOptions,
  scaledDotProductAttention,
} from "./ops/scaled-dot-product-attention.ts";
export { type ParametersIn, parametersOf } from "./parameters-of.ts";
export { predictTransformerMemory, transformerParameterCount } from "./predict-memory.ts";
export {
  type ClassCount,
  type HiddenStates,
  type Pretrained,
  type PretrainedHead,
  type PretrainedModel,
  type PretrainedOptions,
  type PretrainedOutputs,
  type PretrainedParameters,
  type PretrainedSizes,
  pretrained,
  type SavePretrainedOptions,
} from "./pretrained/index.ts";
