import path from "node:path";
import { UserError } from "../base/user-error.ts";
import type { Notebook } from "../notebook/nbformat.ts";
import { type RunOptions, type RunResult, runNotebook } from "../notebook/run.ts";
import type { Plan, Point } from "./plan.ts";
import { failedRecord, type PointRecord, recordOf } from "./record.ts";
import type { Store } from "./store.ts";

export interface PointRun {
  plan: Plan;
  point: Point;
  /** The notebook as planned. It is not changed. */
  source: Notebook;
  /** The folder in which the cells run. */
  folder: string;
  store: Store;
}

/**
 * Runs one point in this process and stores its executed notebook and its record. Returns undefined if `signal` interrupted it; then
 * nothing is stored.
 * @throws UserError if the store cannot be written
 */
export async function runPoint(
  { plan, point, source, folder, store }: PointRun,
  options: Pick<RunOptions, "env" | "timeout" | "signal"> = {},
): Promise<PointRecord | undefined> {
  const start = new Date();
  const notebook = structuredClone(source);
  let result: RunResult;
  try {
    const original = sourcePath({ plan, point, folder, store });
    const { parameters } = point;
    result = await runNotebook(notebook, { ...options, name: plan.notebook, folder, source: original, parameters });
  } catch (error) {
    if (options.signal?.aborted) return undefined;
    const record = failedRecord(point, error instanceof Error ? error : new UserError(String(error)), start);
    store.save(record);
    return record;
  }
  if (result.status === "interrupted") return undefined;
  const record = recordOf(point, notebook, result, start);
  store.save(record, notebook);
  return record;
}

/** The original notebook's path as a point's executed copy records it. */
export function sourcePath({ plan, point, folder, store }: Omit<PointRun, "source">): string {
  const executed = path.dirname(store.notebookFile(point.id));
  return path.relative(executed, path.join(folder, plan.notebook)).replaceAll("\\", "/");
}
