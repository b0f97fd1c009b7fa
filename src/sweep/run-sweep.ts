import { LONGEST_DELAY } from "../base/longest-delay.ts";
import type { Executor, Sweep } from "./executor.ts";
import type { Point } from "./plan.ts";
import type { PointRecord } from "./record.ts";

export interface SweepOptions {
  /** Which ended points run again (default: none). */
  retry?: "failed" | "all";
  /** Stop after this many points of this run have failed. */
  maxFailures?: number;
  /** Stop after this many seconds. */
  timeBudget?: number;
  /** Stops the sweep; what has ended is kept. */
  signal?: AbortSignal;
  /** Called once, before the first point runs. */
  onStart?: (counts: { toRun: number; reused: number; failed: number }) => void;
  /** Called for each point that ends. `ended` counts all ended points of the plan, reused ones too. */
  onPoint?: (record: PointRecord, ended: number, total: number) => void;
}

export interface SweepResult {
  /** The records of all points of the plan that have ended, now or earlier, in the plan's order. */
  records: PointRecord[];
  /** Why points are missing. */
  stopped?: "signal" | "failures" | "time";
}

/** Runs the points of a plan that have not ended. @throws UserError if the executor's check fails or a result cannot be stored */
export async function runSweep(executor: Executor, sweep: Sweep, options: SweepOptions = {}): Promise<SweepResult> {
  const { plan, store } = sweep;
  const ended = store.ended(plan.points);
  const toRun = pointsToRun(plan.points, ended, options.retry);
  for (const { id } of toRun) ended.delete(id);
  const kept = [...ended.values()];
  options.onStart?.({
    toRun: toRun.length,
    reused: kept.filter(({ status }) => status === "ok").length,
    failed: kept.filter(({ status }) => status === "error").length,
  });
  let stopped: SweepResult["stopped"];
  if (toRun.length > 0) {
    await executor.check?.(sweep);
    for (const { id } of toRun) store.forget(id);
    const stop = new AbortController();
    const stopFor = (why: NonNullable<SweepResult["stopped"]>) => {
      stopped ??= why;
      stop.abort(why);
    };
    const onSignal = () => stopFor("signal");
    if (options.signal?.aborted) onSignal();
    options.signal?.addEventListener("abort", onSignal);
    const { timeBudget, maxFailures = Number.POSITIVE_INFINITY } = options;
    const timer =
      timeBudget === undefined
        ? undefined
        : setTimeout(() => stopFor("time"), Math.min(timeBudget * 1000, LONGEST_DELAY));
    let failures = 0;
    try {
      for await (const record of executor.run(sweep, toRun, { signal: stop.signal })) {
        ended.set(record.id, record);
        options.onPoint?.(record, ended.size, plan.points.length);
        if (record.status === "error" && ++failures >= maxFailures) stopFor("failures");
      }
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onSignal);
    }
  }
  const records = store.records(plan.points);
  return { records, ...(stopped && records.length < plan.points.length ? { stopped } : {}) };
}

/** The points that have not ended, and those that `retry` names. */
export function pointsToRun(
  points: readonly Point[],
  ended: ReadonlyMap<string, PointRecord>,
  retry: SweepOptions["retry"],
): Point[] {
  return points.filter(({ id }) => {
    const status = ended.get(id)?.status;
    return status === undefined || retry === "all" || (retry === "failed" && status === "error");
  });
}
