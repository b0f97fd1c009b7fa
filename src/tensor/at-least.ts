import { differentiable, run, scalarOf } from "./engine.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** The larger of x and `least`, elementwise. The gradient is 1 everywhere, as where PyTorch clamps under `torch.no_grad`. */
export function atLeast(op: string, x: AnyTensor, least: number): AnyTensor {
  return differentiable(op, [x], {
    forward: () => run("Maximum", { a: x, b: scalarOf(least, "float32") }),
    backward: (dy) => [() => run("Identity", { x: dy })],
  });
}
