// Parameters that are not trained.
import { categorize } from "../runtime/index.ts";
import { parameterList } from "./parameters.ts";
import { matchPaths, type PathPattern } from "./path-pattern.ts";

/**
 * Excludes parameters of any shape from training (`requires_grad_(False)`): an optimizer that is made afterwards holds no state for
 * them, and `train` computes no gradients of them. The layers below the first trainable parameter keep nothing for the backward pass.
 * Without patterns all are frozen. Gives the paths of those that the patterns match.
 *
 *     freeze(model.parameters, ["tokens", "layers.*.up", /norm/i]);
 *     const optimizer = adamW(model.parameters);
 *
 * @throws RangeError for a pattern that matches no path, with the nearest paths; TypeError for a leaf that is no variable
 */
export const freeze = (parameters: object, patterns?: PathPattern | readonly PathPattern[]): string[] =>
  setTrainable("freeze", parameters, patterns, false);

/**
 * Lets parameters of any shape be trained again, those that the patterns match or all. It includes variables that no optimizer should
 * update, such as the running statistics of `batchNorm`, if a pattern matches them. Gives their paths.
 *
 * @throws RangeError for a pattern that matches no path, with the nearest paths; TypeError for a leaf that is no variable
 */
export const unfreeze = (parameters: object, patterns?: PathPattern | readonly PathPattern[]): string[] =>
  setTrainable("unfreeze", parameters, patterns, true);

function setTrainable(
  op: string,
  parameters: object,
  patterns: PathPattern | readonly PathPattern[] | undefined,
  trainable: boolean,
): string[] {
  const all = parameterList(parameters);
  const names = all.map(({ name }) => name);
  const matched = patterns === undefined ? names : matchPaths(op, patterns, names);
  const isMatched = new Set(matched);
  const variables = all.filter(({ name }) => isMatched.has(name)).map(({ variable }) => variable);
  for (const variable of variables) variable.trainable = trainable;
  // A probe takes variables that are not trainable for the state of an optimizer of tfjs.
  categorize("parameters", variables);
  return matched;
}
