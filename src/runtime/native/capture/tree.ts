// Trees of tensors and other values, taken apart and put together again.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { isPlain } from "../../../base/plain-object.ts";

/** What a tree is without its tensors. */
export type Structure =
  | { readonly kind: "tensor" }
  | { readonly kind: "list"; readonly items: readonly Structure[] }
  | { readonly kind: "record"; readonly entries: readonly (readonly [string, Structure])[] }
  | { readonly kind: "value"; readonly value: unknown };

const isTensor = (x: object): x is Tensor => "dataId" in x;

/** The tensors of a tree in order, and its structure. Objects of classes and functions are values. */
export function takenApart(tree: unknown): { tensors: Tensor[]; structure: Structure } {
  const tensors: Tensor[] = [];
  const walk = (value: unknown): Structure => {
    if (Array.isArray(value)) return { kind: "list", items: value.map(walk) };
    if (typeof value !== "object" || value === null) return { kind: "value", value };
    if (isTensor(value)) {
      tensors.push(value);
      return { kind: "tensor" };
    }
    if (!isPlain(value)) return { kind: "value", value };
    return { kind: "record", entries: Object.entries(value).map(([key, child]) => [key, walk(child)] as const) };
  };
  return { structure: walk(tree), tensors };
}

/** A tree of this structure, with a tensor for each of its tensors. */
export function putTogether(structure: Structure, next: () => Tensor): unknown {
  switch (structure.kind) {
    case "tensor":
      return next();
    case "list":
      return structure.items.map((item) => putTogether(item, next));
    case "record":
      return Object.fromEntries(structure.entries.map(([key, child]) => [key, putTogether(child, next)]));
    case "value":
      return structure.value;
  }
}

export function sameStructure(a: Structure, b: Structure): boolean {
  if (a.kind === "value") return b.kind === "value" && Object.is(a.value, b.value);
  if (a.kind === "list")
    return (
      b.kind === "list" &&
      a.items.length === b.items.length &&
      a.items.every((item, i) => sameStructure(item, b.items[i]!))
    );
  if (a.kind === "record")
    return (
      b.kind === "record" &&
      a.entries.length === b.entries.length &&
      a.entries.every(([key, child], i) => key === b.entries[i]![0] && sameStructure(child, b.entries[i]![1]))
    );
  return b.kind === "tensor";
}
