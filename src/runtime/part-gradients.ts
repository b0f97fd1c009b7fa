import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import type { Tfjs } from "./tfjs/engine.ts";
import { replaceGradient } from "./tfjs/kernels.ts";

/** tfjs hands the gradient of a split into one part over without a list around it, and then looks for a list. */
export function correctPartGradients(tfjs: Tfjs): void {
  const listOf = (dy: Tensor | Tensor[]): Tensor[] => (Array.isArray(dy) ? dy : [dy]);
  for (const kernelName of ["SplitV", "Unpack"]) {
    replaceGradient(tfjs, kernelName, (known) => ({
      ...known,
      gradFunc: (dy, saved, attrs) => known.gradFunc(listOf(dy) as never, saved, attrs),
    }));
  }
}
