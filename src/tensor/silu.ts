import { activation } from "./activated.ts";
import { siluCurve } from "./curves.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** The sigmoid linear unit, elementwise: `x * sigmoid(x)`, also called swish (Ramachandran et al. 2017). */
export function silu<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, "float32">;
export function silu(x: AnyTensor): AnyTensor {
  return activation("silu", x, siluCurve);
}
