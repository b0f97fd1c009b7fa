import { activation } from "./activated.ts";
import { exactGelu, tanhGelu } from "./curves.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * The Gaussian error linear unit, elementwise: `x * Phi(x)`, exact by default or as BERT's tanh approximation (Hendrycks and
 * Gimpel 2016). Only `x` is saved for the backward pass.
 */
export function gelu<T extends TensorOperand>(x: T, form?: "exact" | "tanh"): Tensor<ShapeOf<T>, "float32">;
export function gelu(x: AnyTensor, form: "exact" | "tanh" = "exact"): AnyTensor {
  return activation("gelu", x, form === "exact" ? exactGelu : tanhGelu);
}
