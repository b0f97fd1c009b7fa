/** The predicted bytes of one training step of a Transformer, by cause. */
export interface MemoryPrediction {
  parameters: number;
  gradients: number;
  /** Adam's two moments. */
  optimizer: number;
  /** Saved by the forward pass for the backward pass, without attention weights; in proportion to the tokens. */
  activations: number;
  /** Attention weights saved for the backward pass; in proportion to the square of the length. */
  attention: number;
  /** Temporary tensors at the start of the backward pass through the last layer, when all activations are still held. */
  working: number;
  total: number;
}
