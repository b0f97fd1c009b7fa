/** Bytes that one training step of a Transformer classifier needs, by cause. */
export interface MemoryPrediction {
  parameters: number;
  gradients: number;
  /** Adam's two moments. */
  optimizer: number;
  /** Kept from the forward pass for the backward pass, without the attention weights; grows with the tokens. */
  activations: number;
  /** Attention weights kept for the backward pass; grows with the square of the length. */
  attention: number;
  /** Held for a moment at the start of the backward pass through the last layer, when all else is still there. */
  working: number;
  total: number;
}
