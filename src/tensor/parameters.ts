// Tensors of a tree made into what an optimizer can change.
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { tf } from "../runtime/index.ts";
import { label, namesOf } from "./names.ts";
import { differentiableLeaves, leaves, mapTree } from "./tree.ts";
import type { AnyTensor, RankName, Shaped, ShapeOf, TensorOperand } from "./types/tensor.ts";

/** A tree of the same form and shapes with variables for leaves. */
export type ParametersOf<T> = T extends TensorOperand
  ? Variable<RankName<ShapeOf<T>>> & TensorOperand & Shaped<ShapeOf<T>, "float32">
  : T extends readonly unknown[] | object
    ? { -readonly [K in keyof T]: ParametersOf<T[K]> }
    : T;

/** Names each leaf of a tree that an optimizer could not change as the variable that it should be. */
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
 * The parameters of a tree, objects in the order of their keys.
 * @throws TypeError when a leaf is a tensor that cannot change
 */
export function parameterList(tree: object): NamedParameter[] {
  return leaves(tree).map(({ path, tensor }) => {
    if (!("assign" in tensor))
      throw new TypeError(
        `${path || "what was given"} is a tensor, which no step can change: make variables of the tree with parameters(...)`,
      );
    return { name: path, variable: tensor as Variable };
  });
}

/**
 * The parameters of a model, from the tensors that they start as: a tree of the same form and shapes that an optimizer
 * can change, `parameters({ weight: randn([16, 4]), bias: zeros([4]) })`. The tensors themselves stay as they are.
 * @throws TypeError when a tensor is not float32 (in any storage), or there is none
 */
export function parameters<T>(tree: T): ParametersOf<T> {
  differentiableLeaves("parameters", tree);
  return mapTree(tree, (tensor) => label(tf.variable(tensor), namesOf(tensor))) as ParametersOf<T>;
}
