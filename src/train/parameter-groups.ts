import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { listNames } from "../base/list-names.ts";
import { parameterList } from "../tensor/index.ts";

/**
 * Parameters with their own options, as a group of `torch.optim`: selected by `parameters`, a part of the model's parameters
 * (`model.parameters.head`, or a list), or by `match`, a pattern of their paths (`/bias|scale|offset/`). What a group does
 * not set, and every parameter that is in no group, has the optimizer's own options.
 *
 * A group's learning rate keeps its ratio to the optimizer's: where a schedule halves one, it halves the other.
 */
export type ParameterGroup<Options> = Omit<Options, "groups" | "clipNorm" | "clipValue"> &
  ({ parameters: object; match?: never } | { match: RegExp; parameters?: never });

/** The parameters of a tree that an optimizer updates, and their groups. */
export interface GroupedParameters<Options> {
  /** The path of every variable of the tree, those that are not trainable included. */
  paths: ReadonlyMap<string, Variable>;
  /** The trainable variables in the order of the tree, each once. */
  variables: Variable[];
  /** The path of each trainable variable. */
  names: string[];
  groups: { options: Options; members: number[] }[];
}

type WithGroups<Options> = Options & { groups?: readonly ParameterGroup<Options>[] };

/**
 * The trainable parameters of a tree by group; the first group has the parameters that no group selects.
 *
 * @throws TypeError for a tree without trainable parameters, a plain tensor, or a group with unknown options; RangeError for
 *   a group without parameters, and a parameter that is in two groups or not in the tree
 */
export function groupParameters<Options extends object>(
  rule: string,
  parameters: object,
  options: WithGroups<Options>,
): GroupedParameters<Options> {
  const { groups: given = [], ...own } = options;
  const all = parameterList(parameters);
  const paths = new Map(all.map(({ name, variable }) => [name, variable]));
  const unique = [...new Map(all.map((each) => [each.variable, each])).values()];
  const trainable = unique.filter(({ variable }) => variable.trainable);
  if (trainable.length === 0)
    throw new TypeError(
      unique.length === 0
        ? `${rule}: expected at least one parameter, got none`
        : `${rule}: none of the ${unique.length} parameters is trainable`,
    );
  checkOptions(own, "");
  const places = new Map(trainable.map(({ variable }, i) => [variable, i]));
  const owner = new Map<Variable, number>();
  const selected = given.map((group, g) => {
    const { parameters: tree, match, ...more } = group as ParameterGroup<object>;
    checkGroup(rule, g, tree, match);
    checkOptions(more, `groups[${g}].`);
    const named = match ? unique.filter(({ name }) => name.search(match) >= 0) : parameterList(tree!);
    if (named.length === 0)
      throw new RangeError(
        `${rule}: ${match ? `groups[${g}] (${match}) matches none of the ${all.length} parameters: ${listNames(paths.keys())}` : `groups[${g}] has no parameters`}`,
      );
    const members = [...new Set(named.map(({ variable }) => variable))].flatMap((variable) => {
      const name = unique.find((each) => each.variable === variable)?.name;
      if (name === undefined)
        throw new RangeError(
          `${rule}: groups[${g}] has a parameter of shape [${variable.shape}] that is not among the ${all.length} parameters of the optimizer`,
        );
      const other = owner.get(variable);
      if (other !== undefined) throw new RangeError(`${rule}: ${name} is in groups[${other}] and in groups[${g}]`);
      owner.set(variable, g);
      return variable.trainable ? [places.get(variable)!] : [];
    });
    return { options: { ...own, ...more } as unknown as Options, members: members.sort((a, b) => a - b) };
  });
  const rest = trainable.flatMap(({ variable }, i) => (owner.has(variable) ? [] : [i]));
  const groups = [{ options: own as unknown as Options, members: rest }, ...selected].filter(
    ({ members }) => members.length > 0,
  );
  const [variables, names] = [trainable.map(({ variable }) => variable), trainable.map(({ name }) => name)];
  return { paths, variables, names, groups };
}

function checkGroup(rule: string, g: number, tree: unknown, match: unknown): void {
  const isTree = typeof tree === "object" && tree !== null;
  if (isTree === match instanceof RegExp)
    throw new TypeError(
      `${rule}: groups[${g}] needs either \`parameters\` (a part of the model's parameters) or \`match\` (a regular expression)`,
    );
}

/** Options below 0, which their optimizer checks. */
const negative = new Set(["beta2Decay"]);

function checkOptions(options: object, prefix: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (prefix && (name === "clipNorm" || name === "clipValue"))
      throw new TypeError(`${prefix}${name}: clipping is of all gradients together; set it beside \`groups\``);
    if (name === "learningRate" && typeof value === "function")
      throw new TypeError(
        `${prefix}learningRate of an optimizer is a number; give a schedule to \`train\`: train({ learningRate: cosineRate(0.1, 1000), ... })`,
      );
    if (typeof value === "number" && !negative.has(name) && !(value >= 0))
      throw new RangeError(`${prefix}${name} must be 0 or more, got ${value}`);
    if (
      name === "betas" &&
      !(Array.isArray(value) && value.length === 2 && value.every((beta) => beta >= 0 && beta < 1))
    )
      throw new RangeError(`${prefix}betas must be two numbers of at least 0 and below 1, got ${value}`);
  }
}
