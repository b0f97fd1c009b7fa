import { counted } from "../base/counted.ts";
import { listNames } from "../base/list-names.ts";

/** The state of an optimizer between steps. `save` writes it as a part of any tree. */
export interface OptimizerState {
  /** Steps taken. */
  step: number;
  /** The state of each group of parameters; one group where the optimizer has no `groups`. */
  groups: OptimizerGroupState[];
}

/** The state of a group of an optimizer's parameters. */
export interface OptimizerGroupState {
  /** The paths of the group's parameters. */
  parameters: string[];
  /** State by name, for instance Adam's two moments, over all parameters of the group. */
  values: Record<string, Float32Array>;
}

interface ExpectedGroup {
  names: readonly string[];
  sizes: Readonly<Record<string, number>>;
}

/** @throws RangeError when the state is not one of these groups, with the names and sizes that differ */
export function checkState(rule: string, state: OptimizerState, groups: readonly ExpectedGroup[]): void {
  const fail = (why: string): never => {
    throw new RangeError(`Optimizer state mismatch: ${why}.`);
  };
  if (!Array.isArray(state?.groups) || !Number.isInteger(state.step))
    fail(`expected what stateDict() of ${rule} gives, with \`step\` and \`groups\``);
  if (state.groups.length !== groups.length) {
    const sizes = (lists: readonly (readonly string[])[]) =>
      `${counted(lists.length, "group")} of ${lists.map((list) => list.length).join(", ")} parameters`;
    fail(
      `the state has ${sizes(state.groups.map(({ parameters }) => parameters))}, the optimizer ${sizes(groups.map(({ names }) => names))}`,
    );
  }
  groups.forEach(({ names, sizes }, g) => {
    const { parameters, values } = state.groups[g]!;
    const where = groups.length > 1 ? ` of group ${g}` : "";
    const missing = names.filter((name) => !parameters.includes(name));
    const unexpected = parameters.filter((name) => !names.includes(name));
    if (missing.length > 0 || unexpected.length > 0)
      fail(
        [
          missing.length > 0 ? `the state${where} has nothing for ${listNames(missing)}` : "",
          unexpected.length > 0 ? `the optimizer has no parameter ${listNames(unexpected)}${where}` : "",
        ]
          .filter(Boolean)
          .join("; "),
      );
    const at = names.findIndex((name, i) => parameters[i] !== name);
    if (at >= 0) fail(`parameter ${at}${where} is ${parameters[at]} in the state and ${names[at]} in the optimizer`);
    for (const [name, size] of Object.entries(sizes)) {
      const length = values[name]?.length;
      if (length !== size)
        fail(`${name}${where} has ${length ?? "no"} elements in the state and ${size} in the optimizer`);
    }
  });
}
