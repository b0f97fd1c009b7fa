// Runs every kernel that gets a batched tensor by its batching rule. This lies below the tape, which records the kernel with
// the tensors of one example, so that gradients need no rules.
import { engine, hooks, tf } from "../../runtime/index.ts";
import { type Level, levelsOf, levelsOfAll, newLevel, type Randomness, seenAs } from "../../runtime/levels.ts";
import type { KernelCall } from "../../runtime/tfjs/engine.ts";
import type { Attributes } from "../engine.ts";
import type { AnyTensor } from "../types/tensor.ts";
import type { Input, Rule } from "./call.ts";
import { elementwise } from "./rules/elementwise.ts";
import { images } from "./rules/images.ts";
import { layout } from "./rules/layout.ts";
import { eachExample } from "./rules/loop.ts";
import { products } from "./rules/product.ts";
import { reductions } from "./rules/reduce.ts";
import { selections } from "./rules/select.ts";

const rules: Readonly<Record<string, Rule>> = {
  ...elementwise,
  ...images,
  ...layout,
  ...products,
  ...reductions,
  ...selections,
};

let isIntercepting = false;

/** A new level; kernels are intercepted from the first one on. */
export function openLevel(size: number, randomness: Randomness): Level {
  if (!isIntercepting) {
    isIntercepting = true;
    hooks.recorded.subscribe("vmap", (next) => (call) => {
      if (call.kernelName === undefined) return next(call);
      const level = levelsOfAll(Object.values(call.inputs)).at(-1);
      if (!level) return next(call);
      // The tape looks up gradients by the scope's name, which must not be that of a kernel.
      return tf.tidy(`vmap of ${call.kernelName}`, () => next(batchedCall(call, level))) as AnyTensor;
    });
  }
  return newLevel(size, randomness);
}

/** The call of a kernel as a custom op with the gradient of the kernel. */
function batchedCall({ kernelName, inputs, attrs }: KernelCall, level: Level): KernelCall {
  const kernel = kernelName!;
  const attributes = (attrs ?? {}) as Attributes;
  return {
    inputs,
    forwardFunc: (_, save) => {
      const made = runRule(kernel, inputs, attributes, level);
      save(engine.getTensorsForGradient(kernel, inputs, [made].flat() as AnyTensor[]));
      return made as AnyTensor;
    },
    backwardsFunc: (dy, saved) => {
      const gradient = tf.getGradient(kernel);
      if (!gradient) throw new Error(`grad: the operation ${kernel} has no gradient`);
      return gradient.gradFunc(dy, saved, attributes as never) as Record<string, () => AnyTensor>;
    },
  };
}

function runRule(kernel: string, given: KernelCall["inputs"], attributes: Attributes, level: Level) {
  const input = (x: AnyTensor): Input => {
    const levels = levelsOf(x);
    if (!levels.includes(level)) return { x, batched: false, shape: x.shape };
    return { x: seenAs(x, [level.size, ...x.shape], levels.slice(0, -1)), batched: true, shape: x.shape };
  };
  const list = Array.isArray(given) ? (given as AnyTensor[]).map(input) : [];
  const named = Object.entries(given).filter(([, x]) => x !== undefined && x !== null);
  const inputs = list.length > 0 ? {} : Object.fromEntries(named.map(([name, x]) => [name, input(x)]));
  const made = (rules[kernel] ?? eachExample)({ kernel, inputs, list, attributes, level });
  const inside = (x: AnyTensor) => seenAs(x, x.shape.slice(1), [...levelsOf(x), level]);
  return Array.isArray(made) ? made.map(inside) : inside(made);
}
