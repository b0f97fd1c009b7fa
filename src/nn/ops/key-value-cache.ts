import { tf } from "../../runtime/index.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";

/**
 * The keys and values of one attention layer, `[batch, heads, time, features]`, which generation keeps so that each new token
 * attends to the earlier ones without computing them again. They outlive `tf.tidy` until `dispose`.
 */
export class KeyValueCache {
  #keys: AnyTensor | undefined;
  #values: AnyTensor | undefined;

  /** The number of positions in it. */
  get length(): number {
    return this.#keys?.shape[2] ?? 0;
  }

  /** Adds the keys and values of further positions, and returns all. The cache owns what it returns. */
  append(keys: AnyTensor, values: AnyTensor): { keys: AnyTensor; values: AnyTensor } {
    const joined = (old: AnyTensor | undefined, more: AnyTensor) => {
      const all = tf.keep(old ? tf.concat([old, more], 2) : tf.clone(more));
      old?.dispose();
      return all;
    };
    this.#keys = joined(this.#keys, keys);
    this.#values = joined(this.#values, values);
    return { keys: this.#keys, values: this.#values };
  }

  /** The keys and values so far; undefined when there are none. */
  get entries(): { keys: AnyTensor; values: AnyTensor } | undefined {
    return this.#keys && { keys: this.#keys, values: this.#values! };
  }

  /** Continues with these rows of the batch, in this order; a row may occur more than once. */
  select(rows: ArrayLike<number>): void {
    this.#keys &&= replacedByRows(this.#keys, rows);
    this.#values &&= replacedByRows(this.#values, rows);
  }

  /** Frees the keys and values; the cache is then empty. */
  dispose(): void {
    this.#keys?.dispose();
    this.#values?.dispose();
    this.#keys = undefined;
    this.#values = undefined;
  }
}

/** A tensor of these rows of `kept`, which is freed. */
export function replacedByRows(kept: AnyTensor, rows: ArrayLike<number>): AnyTensor {
  const selected = tf.tidy(() => tf.keep(tf.gather(kept, tf.tensor1d(Int32Array.from(rows), "int32"))));
  kept.dispose();
  return selected;
}
