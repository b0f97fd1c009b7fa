// The size of what a step is given, which tells before it runs that it has other shapes.
import { isPlain } from "../../../base/plain-object.ts";
import { sizeOf } from "../../../base/shape.ts";
import type { TensorLike } from "./replay.ts";

/** The number of elements of the largest tensor or array in a tree. Smaller ones may be lists of any length that decide no shape. */
export function largestSize(tree: unknown): number {
  if (ArrayBuffer.isView(tree)) return (tree as Uint8Array).length;
  if (Array.isArray(tree)) {
    if (typeof tree[0] !== "object") return tree.length;
    return tree.reduce((size: number, item) => Math.max(size, largestSize(item)), tree.length);
  }
  if (typeof tree !== "object" || tree === null) return 0;
  if ("dataId" in tree) return sizeOf((tree as TensorLike).shape);
  return isPlain(tree) ? Math.max(0, ...Object.values(tree).map(largestSize)) : 0;
}
