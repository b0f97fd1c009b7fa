import type { ActivationCurve } from "../runtime/native/kernels/index.ts";
import { scoped } from "./engine.ts";
import { add, erf, exp, multiply, plus, sigmoid, square, tanh, times } from "./primitives.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** An activation: its value and its derivative as separate ops. */
export interface Curve {
  name: Exclude<ActivationCurve, "relu">;
  value: (x: AnyTensor) => AnyTensor;
  derivative: (x: AnyTensor) => AnyTensor;
}

/** Frees intermediate tensors at once, because each is as large as x. */
const brief = (f: () => AnyTensor): AnyTensor => scoped("activation", f);

const rootHalf = Math.SQRT1_2;
const density = 1 / Math.sqrt(2 * Math.PI);

const phi = (x: AnyTensor) => brief(() => times(plus(erf(times(x, rootHalf)), 1), 0.5));

export const exactGelu: Curve = {
  name: "gelu",
  value: (x) => multiply(x, phi(x)),
  derivative: (x) => {
    const pdf = brief(() => times(exp(times(square(x), -0.5)), density));
    return brief(() => add(phi(x), multiply(x, pdf)));
  },
};

const bend = 0.044715;
const steepness = Math.sqrt(2 / Math.PI);

const tanhOf = (x: AnyTensor) => brief(() => tanh(times(multiply(x, plus(times(square(x), bend), 1)), steepness)));

export const tanhGelu: Curve = {
  name: "geluTanh",
  value: (x) => multiply(x, times(plus(tanhOf(x), 1), 0.5)),
  derivative: (x) => {
    const t = tanhOf(x);
    const inner = times(plus(times(square(x), 3 * bend), 1), steepness);
    const sech2 = plus(times(square(t), -1), 1);
    const half = times(plus(t, 1), 0.5);
    return add(half, times(multiply(multiply(x, sech2), inner), 0.5));
  },
};

/** The sigmoid linear unit. */
export const siluCurve: Curve = {
  name: "silu",
  value: (x) => multiply(x, sigmoid(x)),
  derivative: (x) => {
    const share = sigmoid(x);
    const slope = brief(() => multiply(multiply(x, share), plus(times(share, -1), 1)));
    return add(share, slope);
  },
};
