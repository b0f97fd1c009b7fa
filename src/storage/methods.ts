import type {} from "@tensorflow/tfjs-core/dist/tensor.js";
import { extendTensors, type Storage, tf } from "../runtime/index.ts";
import { storageOf, to } from "./to.ts";

declare module "@tensorflow/tfjs-core/dist/tensor.js" {
  interface Tensor {
    /** The storage type of the numbers; the dtype is "float32" for all of them. */
    readonly storage: Storage;
    /** The tensor in another storage type; the tensor itself where it has that type. See the function `to`. */
    to(storage: Storage): this;
  }
}

extendTensors(tf, {
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
