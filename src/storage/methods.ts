import type {} from "@tensorflow/tfjs-core/dist/tensor.js";
import { type Storage, tf } from "../runtime/index.ts";
import { storageOf, to } from "./to.ts";

declare module "@tensorflow/tfjs-core/dist/tensor.js" {
  interface Tensor {
    /** What the numbers are stored as; the dtype is "float32" for each. */
    readonly storage: Storage;
    /** The tensor with its numbers stored otherwise; itself where they are so already. */
    to(storage: Storage): this;
  }
}

Object.defineProperties(tf.Tensor.prototype, {
  storage: {
    configurable: true,
    get(this: Parameters<typeof storageOf>[0]) {
      return storageOf(this);
    },
  },
  to: {
    configurable: true,
    writable: true,
    value(this: Parameters<typeof to>[0], storage: Storage) {
      return to(this, storage);
    },
  },
});
