// Makes the tensors of a tree trainable.
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { isPlain } from "../base/plain-object.ts";
import { tf } from "../runtime/index.ts";
import { label, namesOf } from "./names.ts";
import { differentiableLeaves, isTensor, leaves, mapTree, type Tree } from "./tree.ts";
import type { AnyTensor, RankName, Shaped, ShapeOf, TensorOperand } from "./types/tensor.ts";

/** A tree of the same structure and shapes whose leaves are variables. */
export type ParametersOf<T> = T extends TensorOperand
  ? Variable<RankName<ShapeOf<T>>> & TensorOperand & Shaped<ShapeOf<T>, "float32">
  : T extends readonly unknown[] | object
    ? { -readonly [K in keyof T]: ParametersOf<T[K]> }
    : T;

/** A tree whose tensors are all variables, as an optimizer needs; a plain tensor or a layer is a type error at that leaf. */
export type Trainable<T> = T extends Variable
  ? T
  : T extends AnyTensor
    ? Variable
    : T extends AnyLayer
      ? "optimizer: expected a tree of parameters, got a layer: pass its `.parameters`"
      : T extends readonly unknown[] | object
        ? { [K in keyof T]: Trainable<T[K]> }
        : T;

interface AnyLayer {
  readonly parameters: object;
  apply(...args: never): unknown;
}

/** One parameter and its path, for instance `layers.0.attention.weight`. */
export interface NamedParameter {
  name: string;
  variable: Variable;
}

/**
 * The parameters of a tree with their paths, in the order of the objects' keys.
 *
 * @throws TypeError when a leaf is a plain tensor or a function, or a part of the tree is a layer
 */
export function parameterList(tree: object): NamedParameter[] {
  refuseFunctions(tree);
  return leaves(tree).map(({ path, tensor }) => {
    if (!("assign" in tensor))
      throw new TypeError(
        `\`${path || "the argument"}\` is not trainable: it is a plain tensor. Create the model's parameters with \`parameters({...})\`.`,
      );
    return { name: path, variable: tensor as Variable };
  });
}

/**
 * The parameters of a model from a tree of initial values of any shape: variables in the same structure, which an optimizer can
 * update, `parameters({ weight: randn([16, 4]), bias: zeros([4]) })`. The given tensors are not changed.
 *
 * @throws TypeError when there is no tensor, one is not float32 (in any storage type), or a leaf is a function
 */
export function parameters<T>(tree: T): ParametersOf<T> {
  refuseFunctions(tree);
  differentiableLeaves("parameters", tree);
  return mapTree(tree, (tensor) => label(tf.variable(tensor), namesOf(tensor))) as ParametersOf<T>;
}

/** A function in a tree is a mistake: what it computes with would neither be trained nor saved. */
function refuseFunctions(tree: Tree, path = ""): void {
  const name = path ? `\`${path}\`` : "the argument";
  if (typeof tree === "function")
    throw new TypeError(
      `${name} is a function${tree.name && ` (${tree.name})`}, not a tensor: call it in the layer's \`apply\`, and leave it out of the parameters.`,
    );
  if (isTensor(tree)) return;
  if (isPlain(tree) && typeof tree.apply === "function" && "parameters" in tree)
    throw new TypeError(`${name} is a layer, not a tree of parameters: pass \`${path || "layer"}.parameters\`.`);
  if (Array.isArray(tree) || isPlain(tree))
    for (const [key, child] of Object.entries(tree)) refuseFunctions(child, path ? `${path}.${key}` : key);
}
