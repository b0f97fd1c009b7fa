// Parameters, gradients and optimizer states are plain objects and arrays with tensors for leaves.
import { isPlain } from "../base/plain-object.ts";
import { tf } from "../runtime/index.ts";
import { checkTensor } from "./engine.ts";
import { shapeText } from "./names.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** A tensor, or an array or object of trees. Other values (numbers, strings) are left unchanged. */
export type Tree = unknown;

/** A tree of the same structure with other leaves. */
export type Mapped<T, Leaf> = T extends TensorOperand
  ? Leaf
  : T extends readonly unknown[] | object
    ? { [K in keyof T]: Mapped<T[K], Leaf> }
    : T;

/** A tree of the same structure and shapes in float32, as gradients are. */
export type Gradients<T> = T extends TensorOperand
  ? Tensor<ShapeOf<T>, "float32">
  : T extends readonly unknown[] | object
    ? { -readonly [K in keyof T]: Gradients<T[K]> }
    : T;

export const isTensor = (x: unknown): x is AnyTensor => x instanceof tf.Tensor;

type Visit = (leaf: AnyTensor, path: string) => unknown;

const join = (path: string, key: string | number) => (path === "" ? `${key}` : `${path}.${key}`);

function walk(tree: Tree, f: Visit, path: string): unknown {
  if (isTensor(tree)) return f(tree, path);
  if (Array.isArray(tree)) return tree.map((child, i) => walk(child, f, join(path, i)));
  if (isPlain(tree))
    return Object.fromEntries(Object.entries(tree).map(([key, child]) => [key, walk(child, f, join(path, key))]));
  return tree;
}

/**
 * A tree of the same structure with `f(leaf, path)` for each tensor of any shape, as JAX's `tree.map`; a path is for instance
 * "layers.0.weight".
 */
export function mapTree<T, L>(tree: T, f: (leaf: AnyTensor, path: string) => L): Mapped<T, L> {
  return walk(tree, f, "") as Mapped<T, L>;
}

/** The tensors of a tree, of any shape, with their paths, in the order of the objects' keys (JAX's `tree.leaves`). */
export function leaves(tree: Tree): { path: string; tensor: AnyTensor }[] {
  const found: { path: string; tensor: AnyTensor }[] = [];
  walk(tree, (tensor, path) => found.push({ path, tensor }), "");
  return found;
}

/**
 * The tensors of an op's first argument, of which gradients are computed.
 *
 * @throws TypeError when there is none, or one is not float32; Error when one was disposed
 */
export function differentiableLeaves(op: string, tree: Tree): ReturnType<typeof leaves> {
  const found = leaves(tree);
  if (found.length === 0) throw new TypeError(`${op}: the first argument contains no tensor`);
  for (const { path, tensor } of found) {
    checkTensor(`${op}${path && ` (${path})`}`, tensor);
    if (tensor.dtype !== "float32")
      throw new TypeError(`${op}: ${path || "the argument"} is ${tensor.dtype}; only float32 tensors have gradients`);
  }
  return found;
}

/**
 * A tree of the same structure with `f` of the tensors, of any shape, at the same path of each tree.
 *
 * @throws TypeError when the structures differ
 */
export function zipTrees<T, L>(
  f: (leaf: AnyTensor, ...others: AnyTensor[]) => L,
  tree: T,
  ...others: Tree[]
): Mapped<T, L> {
  const rest = others.map((other) => new Map(leaves(other).map(({ path, tensor }) => [path, tensor])));
  const own = leaves(tree);
  for (const [i, other] of rest.entries()) {
    const missing = own.find(({ path }) => !other.has(path));
    if (missing || other.size !== own.length)
      throw new TypeError(
        missing
          ? `zipTrees: tree ${i + 2} has no tensor at ${missing.path || "the root"}`
          : `zipTrees: tree ${i + 2} has ${other.size} tensors, the first ${own.length}`,
      );
  }
  return mapTree(tree, (leaf, path) => f(leaf, ...rest.map((other) => other.get(path)!)));
}

/** The number of elements of all tensors of a tree; a tensor that stands in it twice, such as a tied weight, counts once. */
export const countParameters = (tree: Tree): number =>
  [...new Set(leaves(tree).map(({ tensor }) => tensor))].reduce((sum, { size }) => sum + size, 0);

/** Disposes every tensor of a tree. */
export function disposeTree(tree: Tree): void {
  for (const { tensor } of leaves(tree)) tensor.dispose();
}

/** Lets every tensor of a tree outlive `tf.tidy` and `scope`, and returns the tree. */
export function keepTree<T>(tree: T): T {
  for (const { tensor } of leaves(tree)) tf.keep(tensor);
  return tree;
}

/** The path, shape and dtype of every tensor of a tree as text, one per line. */
export const describeTree = (tree: Tree): string =>
  leaves(tree)
    .map(({ path, tensor }) => `${path}: ${shapeText(tensor)} ${tensor.dtype as DType}`)
    .join("\n");
