// What tfjs' engine does around a kernel, without the closures, lists and repeated look-ups that it makes for each call.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import type { Engine, KernelCall, Tfjs } from "./engine.ts";
import { isReached } from "./reach.ts";

/** `Engine.runKernel` for a kernel that is known to `runKernelFunc`. */
export const quickRunKernel =
  (engine: Engine): Engine["runKernel"] =>
  (kernelName, inputs, attrs) =>
    engine.runKernelFunc({ kernelName, inputs, attrs } as KernelCall) as Tensor | Tensor[];

/** `Engine.runKernelFunc`. Custom ops, profiles, and tfjs' debug and test modes have the original. */
export function quickRunKernelFunc(
  tfjs: Tfjs,
  engine: Engine,
  original: Engine["runKernelFunc"],
): Engine["runKernelFunc"] {
  const env = tfjs.env();
  const { getKernel } = tfjs;
  return (call) => {
    const { kernelName, inputs, attrs } = call;
    const { state } = engine;
    if (kernelName === undefined || state.profiling || env.getBool("DEBUG") || env.getBool("IS_TEST"))
      return original(call);
    // The getter initializes the backend.
    const { backend } = engine;
    const kernel = getKernel(kernelName, engine.backendName);
    if (!kernel) throw new Error(`Kernel '${kernelName}' not registered for backend '${engine.backendName}'`);
    const isTaping = state.gradientDepth > 0 && state.kernelDepth === 0;
    const saved: Tensor[] = [];
    let made: Tensor | Tensor[];
    state.kernelDepth++;
    try {
      const found = kernel.kernelFunc({ inputs, attrs: attrs as never, backend });
      made = Array.isArray(found) ? found.map((info) => tensorOf(engine, info)) : tensorOf(engine, found);
      if (isTaping && isReached(inputs)) {
        const outputs = Array.isArray(made) ? made : [made];
        for (const each of engine.getTensorsForGradient(kernelName, inputs, outputs))
          saved.push(engine.keep(engine.clone(each)));
      }
    } finally {
      state.kernelDepth--;
    }
    if (isTaping) {
      const outputs = Array.isArray(made) ? made : [made];
      engine.addTapeNode(kernelName, inputs, outputs, null as never, saved, attrs as object);
    }
    return made as Tensor;
  };
}

const tensorOf = (engine: Engine, info: { dataId: object }): Tensor =>
  (info as Tensor).rank === undefined ? engine.makeTensorFromTensorInfo(info as never) : (info as Tensor);
