import type { DataType, Tensor } from "@tensorflow/tfjs-node-gpu";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { tf } from "../load.ts";
import { nativeBackend } from "./backend.ts";
import { scalarOf } from "./scalar.ts";
import { type Storage, typeOf } from "./storage-types.ts";

/** The value of an attribute of a TensorFlow op; `storage` is a type that tfjs may not have. */
export type AttributeValue =
  | boolean
  | number
  | { type: DataType }
  | { storage: Storage }
  | { text: string }
  | { float: number };

// Cached because it is read before every op, and tf.getBackend is a chain of getters.
const engine = tf.engine();

/** True when ops run in TensorFlow itself; false on the portable backends (WASM, plain JavaScript). */
export function isNative(): boolean {
  return engine.backendName === "tensorflow";
}

export const float = { type: "float32" } as const;
export const int = { type: "int32" } as const;
export const bool = { type: "bool" } as const;

/**
 * A TensorFlow op by its own name, with attributes fixed: a function from inputs to its output, through the hooks of `runtime/tfjs`.
 * It is not recorded on the gradient tape; `differentiable` gives gradients to functions built from it.
 */
export function nativeOp(op: string, attributes: Record<string, AttributeValue>): (...inputs: Tensor[]) => Tensor {
  const resolved = attributeList(attributes);
  return (...inputs) => nativeBackend().executeSingleOutput(op, resolved(), inputs);
}

/** Like `nativeOp`, for an op of several outputs. */
export function nativeOpOf(
  op: string,
  outputs: number,
  attributes: Record<string, AttributeValue>,
): (...inputs: Tensor[]) => Tensor[] {
  const resolved = attributeList(attributes);
  return (...inputs) => nativeBackend().executeMultipleOutputs(op, resolved(), inputs, outputs);
}

const constants = new Map<string, Tensor>();
const CONSTANTS = 1024;

/**
 * A small integer vector (an axis, a permutation, a shape) that stays on the device. A step uses the same few repeatedly,
 * and making one costs as much as a small op.
 */
export function integers(...values: number[]): Tensor {
  const key = values.join();
  const found = constants.get(key);
  if (found) return found;
  return remember(key, () => tf.tensor1d(values, "int32"));
}

/** A number that stays on the device, like `integers`. */
export function scalar(value: number, dtype: "float32" | "int32" = "float32"): Tensor {
  const key = `${dtype} ${value}`;
  return constants.get(key) ?? remember(key, () => scalarOf(value, dtype));
}

function remember(key: string, make: () => Tensor): Tensor {
  if (constants.size >= CONSTANTS) {
    const [oldest, tensor] = constants.entries().next().value!;
    tensor.dispose();
    constants.delete(oldest);
  }
  const tensor = tf.keep(make());
  constants.set(key, tensor);
  return tensor;
}

function attributeList(attributes: Record<string, AttributeValue>): () => TFEOpAttr[] {
  let list: TFEOpAttr[] | undefined;
  return () => {
    list ??= Object.entries(attributes).map(([name, value]) => attribute(name, value));
    return list;
  };
}

export function attribute(name: string, value: AttributeValue): TFEOpAttr {
  const { binding } = nativeBackend();
  if (typeof value === "boolean") return { name, type: binding.TF_ATTR_BOOL, value };
  if (typeof value === "number") return { name, type: binding.TF_ATTR_INT, value };
  if ("text" in value) return { name, type: binding.TF_ATTR_STRING, value: value.text };
  if ("float" in value) return { name, type: binding.TF_ATTR_FLOAT, value: value.float };
  if ("storage" in value) return { name, type: binding.TF_ATTR_TYPE, value: typeOf[value.storage] };
  return { name, type: binding.TF_ATTR_TYPE, value: nativeBackend().getDTypeInteger(value.type) };
}
