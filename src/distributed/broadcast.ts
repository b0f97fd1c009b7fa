import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import { storageOf, to } from "../storage/to.ts";
import { broadcastOf } from "./collective.ts";
import { exchange, place } from "./exchange.ts";
import { ofFirst } from "./gather.ts";

/** The tensor of one worker in all of them. */
export function broadcastTensor(x: Tensor, from: number): Tensor {
  const { rank, size } = place();
  if (size === 1) return tf.clone(x);
  // TensorFlow does not send bfloat16 this way.
  if (storageOf(x) !== "bfloat16") return exchange(broadcastOf(x, from, rank === from));
  return tf.tidy(() => to(broadcastTensor(to(x, "float32"), from), "bfloat16"));
}

/** The bytes that `read` gives in the first worker, which alone calls it, in all of them; undefined where it gives none. */
export function broadcastBytes(read: () => Uint8Array | undefined): Uint8Array | undefined {
  let own: Uint8Array | undefined;
  const length = ofFirst(() => {
    own = read();
    return own?.length;
  });
  if (length === undefined || place().size === 1) return own;
  const words = new Int32Array(Math.ceil(length / 4));
  if (place().rank === 0) new Uint8Array(words.buffer).set(own!);
  const values = tf.tidy(() => broadcastTensor(tf.tensor1d(words, "int32"), 0).dataSync() as Int32Array);
  return new Uint8Array(values.buffer, values.byteOffset, length);
}
