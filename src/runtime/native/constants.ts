import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { recordRelease } from "../allocation-tracker.ts";
import { engine, tf } from "../load.ts";
import { entryOf, nativeBackend } from "./backend.ts";
import { uncaptured } from "./capture/active.ts";
import { scalarOf } from "./scalar.ts";

/** Constants that were not used while so many others were made are freed. */
const LIMIT = 2048;

type Key = string | number;

/** Tensors by the values that they hold. Those that were not used for long are freed. */
class Constants {
  #recent = new Map<Key, Tensor>();
  #old = new Map<Key, Tensor>();

  get(key: Key, make: () => Tensor): Tensor {
    const recent = this.#recent.get(key);
    if (recent) return recent;
    const constant = this.#old.get(key) ?? made(make);
    this.#old.delete(key);
    if (this.#recent.size >= LIMIT) {
      const unused = this.#old;
      this.#old = this.#recent;
      this.#recent = new Map();
      for (const tensor of unused.values()) uncounted(() => tensor.dispose());
    }
    this.#recent.set(key, constant);
    return constant;
  }
}

const vectors = new Constants();
const scalars = { float32: new Constants(), int32: new Constants(), bool: new Constants() };

/**
 * A small integer vector (an axis, a permutation, a shape) that stays on the device. A step uses the same few repeatedly,
 * and making one costs as much as a small op.
 */
export const integers = (...values: number[]): Tensor => vectors.get(values.join(), () => tf.tensor1d(values, "int32"));

/** A number that stays on the device, like `integers`. The caller must not dispose it. */
export const scalar = (value: number, dtype: keyof typeof scalars = "float32"): Tensor =>
  // 0 and -0 are the same key.
  scalars[dtype].get(Object.is(value, -0) ? "-0" : value, () => scalarOf(value, dtype));

/** A constant belongs to the library: neither `tf.memory()`, probes nor `leaks` count it. */
function made(make: () => Tensor): Tensor {
  return uncaptured(() => {
    const constant = uncounted(() => tf.keep(make()));
    nativeBackend().getInputTensorIds([constant]);
    recordRelease(entryOf(constant).id);
    return constant;
  });
}

function uncounted<T>(f: () => T): T {
  const { state } = engine;
  const { numTensors, numDataBuffers, numBytes } = state;
  const result = f();
  Object.assign(state, { numTensors, numDataBuffers, numBytes });
  return result;
}
