// Gradients of functions with any results, by a scalar: the sum of the results times their cotangents.
import { checkTensor, run, sameShape } from "../engine.ts";
import { ShapeError } from "../errors.ts";
import { label, namesOf, shapeText } from "../names.ts";
import { leaves, mapTree } from "../tree.ts";
import type { AnyTensor } from "../types/tensor.ts";

type Leaf = ReturnType<typeof leaves>[number];

/** The tensors of a tree that a function gave; throws TypeError unless there are float32 tensors only. */
export function floatLeaves(op: string, what: string, tree: unknown): Leaf[] {
  if (tree instanceof Promise) throw new TypeError(`${op}: the function returned a promise; it must be synchronous`);
  const found = leaves(tree);
  if (found.length === 0)
    throw new TypeError(
      `${op}: ${what} must be a tensor or a tree of tensors, got ${tree === null ? "null" : typeof tree}`,
    );
  for (const { path, tensor } of found) {
    checkTensor(`${op} (${what}${path && ` ${path}`})`, tensor);
    if (tensor.dtype !== "float32")
      throw new TypeError(
        `${op}: ${what}${path && ` ${path}`} is ${tensor.dtype}; only float32 tensors have gradients`,
      );
  }
  return found;
}

/** The tensors of `tree` in the order of `like`; throws unless both have the same structure and shapes. */
export function matchingLeaves(
  op: string,
  what: string,
  tree: unknown,
  like: readonly Leaf[],
  ofWhat: string,
): AnyTensor[] {
  const byPath = new Map(leaves(tree).map(({ path, tensor }) => [path, tensor]));
  if (byPath.size !== like.length)
    throw new TypeError(`${op}: ${what} has ${byPath.size} tensors, ${ofWhat} ${like.length}`);
  return like.map(({ path, tensor }) => {
    const found = byPath.get(path);
    const at = path && ` at ${path}`;
    if (!found) throw new TypeError(`${op}: ${what} has no tensor${at}`);
    checkTensor(op, found);
    if (!sameShape(found.shape, tensor.shape))
      throw new ShapeError(`${op}: ${what} has the shape ${shapeText(found)}${at}, ${ofWhat} ${shapeText(tensor)}`);
    if (found.dtype !== "float32") throw new TypeError(`${op}: ${what} must be float32, got ${found.dtype}${at}`);
    return found;
  });
}

/** The sum of the products of two lists of tensors, each pair of one shape; undefined for empty lists. */
export function innerProduct(xs: readonly AnyTensor[], ys: readonly AnyTensor[]): AnyTensor | undefined {
  let total: AnyTensor | undefined;
  for (const [i, x] of xs.entries()) {
    const product = run("Multiply", { a: x, b: ys[i]! });
    const sum = x.rank === 0 ? product : run("Sum", { x: product }, { axis: [...x.shape.keys()], keepDims: false });
    total = total ? run("Add", { a: total, b: sum }) : sum;
  }
  return total;
}

/** A tree of gradients in the structure of the tensors that they belong to, zeros where there is none. */
export function gradientTree<T>(
  tree: T,
  found: readonly Leaf[],
  gradients: readonly (AnyTensor | undefined)[],
): unknown {
  const byPath = new Map(found.map(({ path }, i) => [path, gradients[i]]));
  return mapTree(tree, (x, path) => label(byPath.get(path) ?? run("ZerosLike", { x }), namesOf(x)));
}

/** The only tensor that a function gave; throws unless it is one float32 number. */
export function oneNumber(op: string, result: AnyTensor): AnyTensor {
  const { tensor } = floatLeaves(op, "the result", result)[0]!;
  if (tensor !== result || tensor.size !== 1)
    throw new ShapeError(`${op}: the function must return one number, got ${shapeText(tensor)}; take its sum or mean`);
  return tensor;
}
