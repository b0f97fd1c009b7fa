// The transform of rows of complex numbers, [2, rows, n]: first the real parts, then the imaginary ones.
import { engine } from "../../runtime/index.ts";
import { throughLevels } from "../../runtime/levels.ts";
import { isNative } from "../../runtime/native/op.ts";
import { float64, readFloat64, storageOf } from "../../storage/index.ts";
import { type Attributes, differentiable } from "../engine.ts";
import type { AnyTensor } from "../types/tensor.ts";
import { transformRow } from "./portable.ts";

const kernel = (name: string, inputs: Record<string, AnyTensor> | AnyTensor[], attributes?: Attributes): AnyTensor =>
  engine.runKernel(name, inputs as never, attributes as never) as AnyTensor;

/**
 * The sums of x[t] e^(-2 pi i k t / n), or with the other sign, not divided by anything. As a map of real and imaginary parts the transform with the other
 * sign is its adjoint, so that this is its gradient.
 */
export function transform(x: AnyTensor, isInverse: boolean): AnyTensor {
  return differentiable("fft", [x], {
    forward: () => throughLevels(x, (all) => forward(all, isInverse)),
    backward: (dy) => [() => transform(dy, !isInverse)],
  });
}

function forward(x: AnyTensor, isInverse: boolean): AnyTensor {
  return isNative() && storageOf(x) !== "float64" ? native(x, isInverse) : portable(x, isInverse);
}

/** The inverse is the transform of the conjugate, conjugated. */
function native(x: AnyTensor, isInverse: boolean): AnyTensor {
  const axis = x.rank - 3;
  const size = x.shape.with(axis, 1);
  const part = (at: number) => kernel("Slice", { x }, { begin: x.shape.map((_, i) => (i === axis ? at : 0)), size });
  const conjugated = (imag: AnyTensor) => (isInverse ? kernel("Neg", { x: imag }) : imag);
  const input = kernel("Complex", { real: part(0), imag: conjugated(part(1)) });
  const output = kernel("FFT", { input });
  return kernel("Concat", [kernel("Real", { input: output }), conjugated(kernel("Imag", { input: output }))], { axis });
}

function portable(x: AnyTensor, isInverse: boolean): AnyTensor {
  const values = readFloat64(x);
  const [rows, n] = [x.shape[x.rank - 2]!, x.shape[x.rank - 1]!];
  const count = rows * n;
  for (let start = 0; start < values.length; start += 2 * count)
    for (let row = start; row < start + count; row += n) {
      const [real, imag] = [values.subarray(row, row + n), values.subarray(row + count, row + count + n)];
      // Real and imaginary parts exchanged give the transform with the other sign, exchanged.
      if (isInverse) transformRow(imag, real);
      else transformRow(real, imag);
    }
  return isNative()
    ? float64(values, x.shape)
    : (engine.makeTensor(Float32Array.from(values), x.shape, "float32") as AnyTensor);
}
