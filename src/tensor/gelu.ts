import * as kernels from "../runtime/native/kernels/index.ts";
import { storageOf } from "../storage/index.ts";
import { cast, checkTensor, differentiable, drop, scoped } from "./engine.ts";
import { canFuse } from "./fused.ts";
import { asStored, toFloat32 } from "./half.ts";
import { label, namesOf } from "./names.ts";
import { add, erf, exp, multiply, plus, square, tanh, times } from "./primitives.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/**
 * The Gaussian error linear unit, elementwise: `x * Phi(x)`, exact by default or as BERT's tanh approximation (Hendrycks and
 * Gimpel 2016). Only `x` is saved for the backward pass.
 */
export function gelu<T extends TensorOperand>(x: T, form?: "exact" | "tanh"): Tensor<ShapeOf<T>, "float32">;
export function gelu(x: AnyTensor, form: "exact" | "tanh" = "exact"): AnyTensor {
  checkTensor("gelu", x);
  const isTanh = form === "tanh";
  const curve = form === "exact" ? exactGelu : tanhGelu;
  const input = cast(x, "float32");
  // Halves are kept as they are and computed with in float32, as in PyTorch's kernel.
  const result = differentiable("gelu", [input], {
    forward: () =>
      canFuse("any", input)
        ? (kernels.gelu(input, isTanh) as AnyTensor)
        : asStored(curve.value(toFloat32(input)), input),
    keep: () => [input],
    backward: (dy, [kept]) => [
      () =>
        canFuse("any", dy, kept!) && storageOf(dy) === storageOf(kept!)
          ? (kernels.geluGradient(dy, kept!, isTanh) as AnyTensor)
          : multiply(toFloat32(dy), curve.derivative(toFloat32(kept!))),
    ],
  });
  drop(input, x);
  return label(result, namesOf(x));
}

/** The Gaussian error linear unit: its value and its derivative. */
interface Curve {
  value: (x: AnyTensor) => AnyTensor;
  derivative: (x: AnyTensor) => AnyTensor;
}

/** Frees intermediate tensors at once, because each is as large as x. */
const brief = (f: () => AnyTensor): AnyTensor => scoped("gelu", f);

const rootHalf = Math.SQRT1_2;
const density = 1 / Math.sqrt(2 * Math.PI);

const phi = (x: AnyTensor) => brief(() => times(plus(erf(times(x, rootHalf)), 1), 0.5));

const exactGelu: Curve = {
  value: (x) => multiply(x, phi(x)),
  derivative: (x) => {
    const pdf = brief(() => times(exp(times(square(x), -0.5)), density));
    return brief(() => add(phi(x), multiply(x, pdf)));
  },
};

const bend = 0.044715;
const steepness = Math.sqrt(2 / Math.PI);

const tanhOf = (x: AnyTensor) => brief(() => tanh(times(multiply(x, plus(times(square(x), bend), 1)), steepness)));

const tanhGelu: Curve = {
  value: (x) => multiply(x, times(plus(tanhOf(x), 1), 0.5)),
  derivative: (x) => {
    const t = tanhOf(x);
    const inner = times(plus(times(square(x), 3 * bend), 1), steepness);
    const sech2 = plus(times(square(t), -1), 1);
    const half = times(plus(t, 1), 0.5);
    return add(half, times(multiply(multiply(x, sech2), inner), 0.5));
  },
};
