// Makes the tensors of a tree trainable.
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import { label, namesOf } from "./names.ts";
import { differentiableLeaves, leaves, mapTree } from "./tree.ts";
import type { AnyTensor, RankName, Shaped, ShapeOf, TensorOperand } from "./types/tensor.ts";

/** A tree of the same structure and shapes whose leaves are variables. */
export type ParametersOf<T> = T extends TensorOperand
  ? Variable<RankName<ShapeOf<T>>> & TensorOperand & Shaped<ShapeOf<T>, "float32">
  : T extends readonly unknown[] | object
    ? { -readonly [K in keyof T]: ParametersOf<T[K]> }
    : T;

/** A tree whose tensors are all variables, as an optimizer needs; a plain tensor is a type error at that leaf. */
export type Trainable<T> = T extends Variable
  ? T
  : T extends AnyTensor
    ? Variable
    : T extends readonly unknown[] | object
      ? { [K in keyof T]: Trainable<T[K]> }
      : T;

/** One parameter and its path, for instance `layers.0.attention.weight`. */
export interface NamedParameter {
  name: string;
  variable: Variable;
}

/**
 * The parameters of a tree with their paths, in the order of the objects' keys.
 *
 * @throws TypeError when a leaf is a plain tensor
 */
export function parameterList(tree: object): NamedParameter[] {
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
 * @throws TypeError when there is no tensor, or one is not float32 (in any storage type)
 */
export function parameters<T>(tree: T): ParametersOf<T> {
  differentiableLeaves("parameters", tree);
  return mapTree(tree, (tensor) => label(tf.variable(tensor), namesOf(tensor))) as ParametersOf<T>;
}
