import { activated } from "./activated.ts";
import { siluCurve } from "./curves.ts";
import { cast, checkTensor, drop } from "./engine.ts";
import { label, namesOf } from "./names.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** The sigmoid linear unit, elementwise: `x * sigmoid(x)`, also called swish (Ramachandran et al. 2017). */
export function silu<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, "float32">;
export function silu(x: AnyTensor): AnyTensor {
  checkTensor("silu", x);
  const input = cast(x, "float32");
  const result = activated("silu", input, siluCurve);
  drop(input, x);
  return label(result, namesOf(x));
}
