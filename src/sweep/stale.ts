import { existsSync } from "node:fs";
import { listNames } from "../base/list-names.ts";
import { UserError } from "../base/user-error.ts";
import { type Identity, type Plan, parametersKey } from "./plan.ts";
import type { Store } from "./store.ts";

/**
 * What to tell a user whose points run again although they have ended: how many results of the folder's earlier plan are for the same
 * parameters and not reused, and why. Undefined if there are none. To be called before `Store.begin`.
 */
export function staleResults(store: Store, plan: Plan): string | undefined {
  const earlier = earlierPlan(store);
  if (!earlier) return undefined;
  const ids = new Map(plan.points.map(({ id, parameters }) => [parametersKey(parameters), id]));
  const count = earlier.points.filter(({ id, parameters }) => {
    const now = ids.get(parametersKey(parameters));
    return now !== undefined && now !== id && existsSync(store.recordFile(id));
  }).length;
  if (count === 0) return undefined;
  const results = count === 1 ? "1 earlier result is" : `${count} earlier results are`;
  return `${results} not used, because ${changeOf(earlier, plan)}.`;
}

function earlierPlan(store: Store): Plan | undefined {
  try {
    return store.plan();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function changeOf(earlier: Plan, plan: Plan): string {
  const [before, now] = [earlier.identity, plan.identity];
  if (before.source !== now.source)
    return earlier.notebook === plan.notebook
      ? `${plan.notebook} has changed`
      : `they are of ${earlier.notebook}, not of ${plan.notebook}`;
  if (before.version !== now.version || before.build !== now.build)
    return `Halftone has changed, from ${build(before)} to ${build(now)}`;
  const names = Object.keys({ ...before.inputs, ...now.inputs }).filter(
    (name) => before.inputs[name] !== now.inputs[name],
  );
  return `${names.length === 1 ? "the file" : "the files"} ${listNames(names)}, which ${plan.notebook} names, ${names.length === 1 ? "has" : "have"} changed`;
}

const build = ({ version, build }: Identity) => `${version} (build ${build})`;
