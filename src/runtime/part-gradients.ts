import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import type { Tfjs } from "./tfjs/engine.ts";

type Gradient = ReturnType<Tfjs["getGradient"]>["gradFunc"];

/** tfjs hands the gradient of a split into one part over without a list around it, and then looks for a list. */
export function correctPartGradients(tfjs: Tfjs): void {
  const listOf = (dy: Tensor | Tensor[]): Tensor[] => (Array.isArray(dy) ? dy : [dy]);
  for (const kernelName of ["SplitV", "Unpack"]) {
    const known = tfjs.getGradient(kernelName);
    tfjs.unregisterGradient(kernelName);
    const gradFunc: Gradient = (dy, saved, attrs) => known.gradFunc(listOf(dy) as never, saved, attrs);
    tfjs.registerGradient({ ...known, kernelName, gradFunc });
  }
}
