import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import type { ApplyOptions } from "../nn/index.ts";
import { tf, uninterrupted } from "../runtime/index.ts";
import { fromTensor, type StoredArray, toTensor } from "../tensor/files/array.ts";
import { parameterList } from "../tensor/index.ts";
import type { DType } from "../tensor/types/shape.ts";
import type { Optimizer } from "./optimizer.ts";

/**
 * What can be trained: a `Model`, that is a layer whose input is a batch. Its `apply` is a property, because the compiler then
 * requires that it takes the batches given.
 */
export interface TrainedModel<P extends object, B, Out> {
  readonly parameters: P;
  readonly apply: (parameters: P, batch: B, options?: ApplyOptions) => Out;
}

/**
 * The parameters of a model that `optimizer` is to train.
 *
 * @throws TypeError when it is not a model, no parameter is trainable, or one is a plain tensor; when the optimizer is of other
 *   parameters
 */
export function checkModel(
  model: { readonly parameters: object; readonly apply: unknown },
  optimizer: Optimizer,
): void {
  if (typeof model?.apply !== "function" || typeof model.parameters !== "object" || model.parameters === null) {
    throw new TypeError("train: the model must be { parameters, apply(parameters, batch, options) }");
  }
  const own = parameterList(model.parameters);
  if (own.length === 0) {
    throw new TypeError(
      "train: the model has no parameters: expected an object or array of variables, made by parameters({...})",
    );
  }
  if (!own.some(({ variable }) => variable.trainable)) {
    throw new TypeError(
      `train: none of the model's ${own.length} parameters is trainable, for instance \`${own[0]!.name}\``,
    );
  }
  const known = new Set(own.map(({ variable }) => variable));
  const others = optimizer.variables.filter((variable) => !known.has(variable));
  if (others.length > 0) {
    throw new TypeError(
      `train: ${others.length} of the optimizer's ${optimizer.variables.length} parameters are not the model's, the first of shape [${others[0]!.shape.join(", ")}]: ` +
        "make the optimizer from `model.parameters`",
    );
  }
  const updated = new Set(optimizer.variables);
  const frozen = own.find(({ variable }) => !variable.trainable && updated.has(variable));
  if (frozen)
    throw new TypeError(
      `train: ${frozen.name} is frozen, but the optimizer updates it: make the optimizer after \`freeze\``,
    );
}

/** All variables. Keeps the values of those that `apply` itself changes, running statistics for instance, and gives them back. */
export function stateOf(model: { readonly parameters: object }): { variables: readonly Variable[]; restore(): void } {
  const variables = parameterList(model.parameters).map(({ variable }) => variable);
  const held = variables
    .filter(({ trainable }) => !trainable)
    .map((variable): [Variable, Tensor] => [variable, tf.clone(variable)]);
  const restore = () => {
    for (const [variable, value] of held) variable.assign(value);
  };
  return { variables, restore: () => uninterrupted(restore) };
}

/** The values of all parameters by path, those that are not trainable included. */
export type ParameterValues = Readonly<Record<string, StoredArray>>;

/** A copy of every parameter, by path. */
export const parameterValues = (model: { readonly parameters: object }): ParameterValues =>
  Object.fromEntries(parameterList(model.parameters).map(({ name, variable }) => [name, fromTensor(variable, name)]));

/** @throws RangeError when a parameter is missing or has another size */
export function checkParameterValues(model: { readonly parameters: object }, values: ParameterValues): void {
  for (const { name, variable } of parameterList(model.parameters)) {
    const size = values[name]?.values.length;
    if (size === variable.size) continue;
    throw new RangeError(
      `Parameter size mismatch: ${name} has ${variable.size} elements in the model, ${size ?? "none"} in the saved state.`,
    );
  }
}

/** @throws RangeError, before anything is assigned, when a parameter is missing or has another size */
export function assignParameters(model: { readonly parameters: object }, values: ParameterValues): void {
  checkParameterValues(model, values);
  for (const { name, variable } of parameterList(model.parameters)) {
    const { shape, dtype } = variable;
    tf.tidy(() => variable.assign(toTensor({ ...values[name]!, shape, dtype: dtype as DType }) as Tensor));
  }
}
