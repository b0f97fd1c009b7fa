import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { requireIdentity } from "../sweep/plan.ts";
import { runPoint } from "../sweep/run-point.ts";
import { Store } from "../sweep/store.ts";
import { stopOnSignal } from "./stop.ts";

/**
 * `halftone sweep-point`, which executors start on other machines: runs points of a plan one after another. Exit status 0 when each has a
 * record, whether its notebook failed or not; 1 if the machine differs from the plan; 130 or 143 if it was stopped.
 */
export async function sweepPoint(
  planned: string,
  ids: string[],
  flags: { store?: string; folder?: string; timeout?: number; missing?: boolean },
): Promise<void> {
  const source = new Store(planned);
  const plan = source.plan();
  const notebook = source.source();
  const folder = path.resolve(flags.folder ?? path.join(source.folder, plan.folder));
  const points = ids.map((id) => plan.points.find((point) => point.id === id) ?? unknownPoint(id, planned));
  requireIdentity(plan, notebook, folder);
  const store = flags.store === undefined ? source : new Store(flags.store);
  const stop = stopOnSignal();
  for (const point of points) {
    const { timeout } = flags;
    if (flags.missing && store.record(point.id)) continue;
    await runPoint(
      { plan, point, source: notebook, folder, store },
      { signal: stop.signal, ...(timeout === undefined ? {} : { timeout }) },
    );
    if (stop.signal.aborted) break;
  }
  process.exitCode = stop.exitCode();
}

function unknownPoint(id: string, planned: string): never {
  throw new UserError(`The plan in ${planned} has no point ${id}.`);
}
