import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import type { Tfjs } from "./tfjs/engine.ts";
import { replaceGradient } from "./tfjs/kernels.ts";

/**
 * For a split into one part, tfjs passes the gradient without an array around it, although the gradient function expects an
 * array.
 */
export function correctPartGradients(tfjs: Tfjs): void {
  const listOf = (dy: Tensor | Tensor[]): Tensor[] => (Array.isArray(dy) ? dy : [dy]);
  for (const kernelName of ["SplitV", "Unpack"]) {
    replaceGradient(tfjs, kernelName, (known) => ({
      ...known,
      gradFunc: (dy, saved, attrs) => known.gradFunc(listOf(dy) as never, saved, attrs),
    }));
  }
}
