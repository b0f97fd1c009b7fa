// Encodes a GraphDef (tensorflow/core/framework/graph.proto) in protocol buffers' wire format.
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { nativeBackend } from "../backend.ts";
import { integer, joined, message, text, varint } from "../wire-format.ts";

/** One node of a graph; inputs are `node:output`. */
export interface GraphNode {
  name: string;
  op: string;
  inputs: readonly string[];
  attrs: Readonly<Record<string, Uint8Array>>;
}

/** The version of the graph format that TensorFlow 2.21 writes; only upper bounds are checked. */
const PRODUCER = 1882;

const shapeOf = (shape: readonly number[]): Uint8Array => joined(...shape.map((size) => message(2, integer(1, size))));

/** Values of attributes (tensorflow/core/framework/attr_value.proto). */
export const attrValue = {
  type: (type: number): Uint8Array => integer(6, type),
  shape: (shape: readonly number[]): Uint8Array => message(7, shapeOf(shape)),
};

/** An attribute as the binding takes it; undefined for a kind that is not known here. */
export function attrOf({ type, value }: TFEOpAttr): Uint8Array | undefined {
  const { binding } = nativeBackend();
  const many = Array.isArray(value) ? (value as number[]) : undefined;
  switch (type) {
    case binding.TF_ATTR_STRING:
      return many ? undefined : text(2, String(value));
    case binding.TF_ATTR_INT:
      return many ? message(1, message(3, joined(...many.map(varint)))) : integer(3, value as number);
    case binding.TF_ATTR_FLOAT: {
      if (many) return undefined;
      const bytes = new Uint8Array(Float32Array.of(value as number).buffer);
      return joined(varint((4 << 3) | 5), bytes);
    }
    case binding.TF_ATTR_BOOL:
      return many ? undefined : integer(5, value ? 1 : 0);
    case binding.TF_ATTR_TYPE:
      return many ? message(1, message(6, joined(...many.map(varint)))) : attrValue.type(value as number);
    case binding.TF_ATTR_SHAPE:
      return many ? attrValue.shape(many) : undefined;
    default:
      return undefined;
  }
}

function encodeNode({ name, op, inputs, attrs }: GraphNode): Uint8Array {
  return message(
    1,
    joined(
      text(1, name),
      text(2, op),
      ...inputs.map((input) => text(3, input)),
      ...Object.entries(attrs).map(([key, value]) => message(5, joined(text(1, key), message(2, value)))),
    ),
  );
}

/** A graph of nodes. */
export const encodeGraph = (nodes: readonly GraphNode[]): Uint8Array =>
  joined(...nodes.map(encodeNode), message(4, integer(1, PRODUCER)));
