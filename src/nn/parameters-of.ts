import { inspect } from "node:util";
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { isPlain } from "../base/plain-object.ts";
import { isTensor } from "../tensor/tree.ts";

/** The parameters of each layer of a tree, in the tree's structure. */
export type ParametersIn<T> = T extends { readonly parameters: infer P; apply(...args: never): unknown }
  ? P
  : T extends Variable
    ? T
    : { -readonly [K in keyof T]: ParametersIn<T[K]> };

/**
 * The parameters of an object or array of layers of any shape, nested as they are, for a model of several layers:
 *
 *     const layers = { encoder, heads: [first, second] };
 *     const weights = parametersOf(layers); // { encoder: encoder.parameters, heads: [first.parameters, second.parameters] }
 *
 * A variable stays as it is, so that a model's own parameters may stand beside its layers.
 *
 * @throws TypeError with the path of a value that is neither a layer, a variable nor an object or array of them
 */
export function parametersOf<const T extends object>(layers: T): ParametersIn<T> {
  return collected(layers, "") as ParametersIn<T>;
}

function collected(tree: unknown, path: string): unknown {
  const inside = (key: string | number) => (path ? `${path}.${key}` : `${key}`);
  if (isTensor(tree) && "assign" in tree) return tree;
  if (Array.isArray(tree)) return tree.map((each, i) => collected(each, inside(i)));
  if (isPlain(tree)) {
    if (typeof tree.apply === "function" && typeof tree.parameters === "object") return tree.parameters;
    return Object.fromEntries(Object.entries(tree).map(([key, each]) => [key, collected(each, inside(key))]));
  }
  const found = isTensor(tree) ? "a plain tensor: make it with `parameters({...})`" : inspect(tree, { depth: 0 });
  throw new TypeError(`parametersOf: ${path || "the argument"} must be a layer or a variable, got ${found}`);
}
