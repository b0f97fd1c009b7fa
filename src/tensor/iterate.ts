// A tensor is not iterable: `for (const row of x)`, `[...x]` and `const [a, b] = x` say what to use, in the type checker and in
// the run. This holds for every tensor of the process, tfjs' own too.
import type {} from "@tensorflow/tfjs-core/dist/tensor.js";
import { extendTensors, tf } from "../runtime/index.ts";

type NotIterable = "a tensor is not iterable; use unstack(x), the list of its slices along an axis";
const message: NotIterable = "a tensor is not iterable; use unstack(x), the list of its slices along an axis";

declare module "@tensorflow/tfjs-core/dist/tensor.js" {
  interface Tensor {
    /**
     * Throws; use `unstack`. The compiler's error shows the type that `next` expects in place of `undefined`. Without
     * strictNullChecks `undefined` has every type, so there this is not a function.
     */
    readonly [Symbol.iterator]: undefined extends NotIterable
      ? NotIterable
      : () => { next(use: NotIterable, instead: NotIterable): { done: false; value: never } };
  }
}

extendTensors(tf, {
  [Symbol.iterator]: {
    value() {
      throw new TypeError(message);
    },
    configurable: true,
    writable: true,
  },
});
