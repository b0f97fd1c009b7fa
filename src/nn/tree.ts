import type { Variable } from "@tensorflow/tfjs-node-gpu";

/** Variables by name, nested as the model is, for instance `{ layers: [{ weight, bias }] }`. A plain object or list. */
export type ParameterTree = object;

/** One parameter and its path, for instance `layers.0.attention.weight`. */
export interface NamedParameter {
  name: string;
  variable: Variable;
}

/** The parameters of a tree, in a fixed order. */
export function parameterList(tree: ParameterTree, path = ""): NamedParameter[] {
  if (isVariable(tree)) return [{ name: path, variable: tree }];
  return Object.entries(tree).flatMap(([key, child]) => parameterList(child, path ? `${path}.${key}` : key));
}

/** How many numbers the tree holds. */
export function parameterCount(tree: ParameterTree): number {
  return parameterList(tree).reduce((sum, { variable }) => sum + variable.size, 0);
}

function isVariable(value: object): value is Variable {
  return "assign" in value && "dataId" in value;
}
