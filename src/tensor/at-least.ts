import { differentiable, run, scalarOf } from "./engine.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** At least `least`, elementwise; the gradient passes as if nothing was changed, as where PyTorch clamps without a gradient. */
export function atLeast(op: string, x: AnyTensor, least: number): AnyTensor {
  return differentiable(op, [x], {
    forward: () => run("Maximum", { a: x, b: scalarOf(least, "float32") }),
    backward: (dy) => [() => run("Identity", { x: dy })],
  });
}
