import type { PointRecord } from "../../src/sweep/record.ts";

/** A record with these parameters and metrics; a metric is its values, whose steps count from 0. */
export function record(
  id: string,
  parameters: Record<string, unknown>,
  metrics: Record<string, number[]>,
  error?: PointRecord["error"],
): PointRecord {
  return {
    id: id.padEnd(12, "0"),
    parameters,
    status: error ? "error" : "ok",
    metrics: Object.entries(metrics).map(([name, values]) => ({ name, values, steps: values.map((_, at) => at) })),
    ...(error ? { error } : {}),
    host: "here",
    start: "2026-11-30T10:00:00.000Z",
    end: "2026-11-30T10:00:01.500Z",
  };
}
