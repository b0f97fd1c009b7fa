import type { DataType, Tensor } from "@tensorflow/tfjs-node-gpu";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { tf } from "../load.ts";
import { nativeBackend } from "./backend.ts";
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
