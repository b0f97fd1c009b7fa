import type { GradConfig, KernelConfig } from "@tensorflow/tfjs-node-gpu";
import type { Tfjs } from "./engine.ts";
import { recordOriginal } from "./patch.ts";
import { undoBy } from "./undo.ts";

/** Replaces a kernel of a backend by a function of the original. */
export function replaceKernel(
  tfjs: Tfjs,
  name: string,
  backend: string,
  replace: (kernel: KernelConfig) => KernelConfig["kernelFunc"],
): void {
  const kernel = tfjs.getKernel(name, backend);
  recordOriginal(`${backend} kernel ${name}`, kernel.kernelFunc);
  tfjs.unregisterKernel(name, backend);
  tfjs.registerKernel({ ...kernel, kernelFunc: replace(kernel) });
}

/** Replaces the gradient of a kernel by a function of the original. */
export function replaceGradient(
  tfjs: Tfjs,
  name: string,
  replace: (gradient: GradConfig) => Omit<GradConfig, "kernelName">,
): void {
  const gradient = tfjs.getGradient(name);
  recordOriginal(`gradient ${name}`, gradient.gradFunc);
  tfjs.unregisterGradient(name);
  tfjs.registerGradient({ kernelName: name, ...replace(gradient) });
  undoBy(() => {
    tfjs.unregisterGradient(name);
    tfjs.registerGradient(gradient);
  });
}
