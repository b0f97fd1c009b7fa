import { UserError } from "../base/user-error.ts";
import type { PointRecord } from "./record.ts";
import { lastValue, metricNames } from "./table.ts";

/** Which metric decides whether a point is better than another. */
export interface Goal {
  metric: string;
  direction: "min" | "max";
}

/** Names of metrics of which less is better. */
const LESS =
  /loss|error|perplexity|distance|divergence|latency|time|seconds|bytes|memory|(^|_)(mse|mae|rmse|nll|wer|cer|fid)($|_)/i;

/** A goal from `--best NAME` or `--best NAME:min`. Without a direction the name decides: `loss` is to be small, `accuracy` large. */
export function parseGoal(text: string): Goal {
  const [, metric, direction] = /^(.+?)(?::(min|max))?$/.exec(text) ?? [];
  if (metric === undefined)
    throw new UserError("--best: give the name of a metric, for instance --best accuracy or --best loss:min.");
  return { metric, direction: (direction as Goal["direction"] | undefined) ?? directionOf(metric) };
}

/** The goal of a sweep: the given one, or the first metric that its points reported; undefined if they reported none. */
export function goalOf(records: readonly PointRecord[], given: Goal | undefined): Goal | undefined {
  const [first] = metricNames(records);
  return given ?? (first === undefined ? undefined : { metric: first, direction: directionOf(first) });
}

/** The best point of those that succeeded; undefined if none reported the metric. */
export function bestOf(records: readonly PointRecord[], goal: Goal): PointRecord | undefined {
  const [first] = ranked(records, goal);
  return first && isRanked(first, goal) ? first : undefined;
}

/** The points from the best to the worst, then those that failed, did not report the metric or diverged. */
export function ranked(records: readonly PointRecord[], goal: Goal): PointRecord[] {
  const sign = goal.direction === "max" ? -1 : 1;
  const [measured, others] = [true, false].map((wanted) =>
    records.filter((record) => isRanked(record, goal) === wanted),
  );
  const value = (record: PointRecord) => sign * lastValue(record, goal.metric)!;
  return [...measured!.sort((a, b) => value(a) - value(b) || 0), ...others!];
}

function isRanked(record: PointRecord, { metric }: Goal): boolean {
  const value = lastValue(record, metric);
  return record.status === "ok" && Number.isFinite(value);
}

const directionOf = (metric: string): Goal["direction"] => (LESS.test(metric) ? "min" : "max");
