// Which axis of each tensor of a tree is mapped.
import { isPlain } from "../../base/plain-object.ts";
import { isTensor } from "../tree.ts";
import type { AnyTensor } from "../types/tensor.ts";

/**
 * The mapped axis of every tensor of a tree: a number for all of them, null for none, or a tree of them in the structure of the
 * tensors.
 */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes };

type Visit = (x: AnyTensor, axis: number | null, path: string) => unknown;

/**
 * A tree with `f` of each tensor of any shape, its mapped axis and its path.
 *
 * @throws TypeError when the axes do not have the structure of the tree
 */
export function mapAxes(option: string, tree: unknown, axes: Axes | undefined, path: string, f: Visit): unknown {
  const isOne = typeof axes === "number" || axes === null;
  if (isOne ? axes !== null && !Number.isInteger(axes) : typeof axes !== "object")
    throw new TypeError(`vmap: ${option} must be an axis, null or a tree of them, got ${String(axes)} for ${path}`);
  if (isTensor(tree)) {
    if (isOne) return f(tree, axes, path);
    throw new TypeError(`vmap: ${option} has a tree of axes for ${path}, which is one tensor`);
  }
  const inner = (child: unknown, key: string | number): unknown => {
    const own = isOne ? axes : (axes as Record<string | number, Axes>)[key];
    return mapAxes(option, child, own, path === "" ? `${key}` : `${path}.${key}`, f);
  };
  if (Array.isArray(tree)) return tree.map(inner);
  if (!isPlain(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, child]) => [key, inner(child, key)]));
}
