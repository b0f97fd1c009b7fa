import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { promoted, type Storage, tf } from "../runtime/index.ts";
import { storageOf, to } from "../storage/to.ts";
import type { List } from "./lists.ts";
import { autocast, autocastType } from "./region.ts";

/**
 * Puts a function of tensors of any shape on one of autocast's lists as a whole. Under autocast its tensor arguments are cast
 * as the list requires and autocast is off within it, so its ops run in those types. PyTorch's `custom_fwd(cast_inputs=...)`.
 */
export function autocastOp<A extends unknown[], R>(list: List, fn: (...inputs: A) => R): (...inputs: A) => R {
  return (...inputs) => {
    const type = autocastType();
    if (!type) return fn(...inputs);
    const floats = inputs.filter(isFloat);
    const widest = floats.reduce<Storage>((wide, x, i) => (i ? promoted(wide, storageOf(x)) : storageOf(x)), "float32");
    const wanted = list === "half" ? type : list === "float32" ? "float32" : widest;
    const cast = inputs.map((x) => (isFloat(x) && storageOf(x) !== "float64" ? to(x, wanted) : x)) as A;
    return autocast(false, () => fn(...cast));
  };
}

const isFloat = (x: unknown): x is Tensor => x instanceof tf.Tensor && x.dtype === "float32";
