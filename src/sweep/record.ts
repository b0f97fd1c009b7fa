import os from "node:os";
import * as v from "valibot";
import { jsonObject } from "../base/json-schema.ts";
import { type MetricSeries, metricSeries } from "../display/metric-output.ts";
import type { Notebook } from "../notebook/nbformat.ts";
import type { Parameters } from "../notebook/parameters.ts";
import type { RunResult } from "../notebook/run.ts";
import type { Point } from "./plan.ts";

/** What a sweep keeps of a point that has ended, as JSON of `stringifyNumbers`. A point that was interrupted has no record. */
export interface PointRecord {
  id: string;
  parameters: Parameters;
  status: "ok" | "error";
  /** What the notebook reported by `metric`, in the order of the first value of each name. */
  metrics: MetricSeries[];
  /** `cell` counts from 1 over the cells that run; it is missing if no cell failed, for instance when the machine did. */
  error?: { name: string; message: string; cell?: number };
  /** The machine that ran the point. */
  host: string;
  /** ISO 8601. */
  start: string;
  end: string;
}

export function recordOf(point: Point, notebook: Notebook, { failed }: RunResult, start: Date): PointRecord {
  const { id, parameters } = point;
  return {
    id,
    parameters,
    status: failed ? "error" : "ok",
    metrics: metricSeries(notebook.cells.flatMap((cell) => (cell.cell_type === "code" ? cell.outputs : []))),
    ...(failed ? { error: { name: failed.error.ename, message: failed.error.evalue, cell: failed.index + 1 } } : {}),
    ...ended(start),
  };
}

/** The record of a point that ended without an executed notebook. */
export function failedRecord(
  { id, parameters }: Point,
  error: { name: string; message: string },
  start: Date,
): PointRecord {
  const { name, message } = error;
  return { id, parameters, status: "error", metrics: [], error: { name, message }, ...ended(start) };
}

const ended = (start: Date) => ({ host: os.hostname(), start: start.toISOString(), end: new Date().toISOString() });

/** The record in a parsed file or message; undefined if it is not one. */
export function parseRecord(value: unknown): PointRecord | undefined {
  const { success, output } = v.safeParse(schema, value);
  return success ? (output as PointRecord) : undefined;
}

const text = v.string();
/** A diverged loss is NaN, which valibot's own `number` refuses. */
const number = v.custom<number>((value) => typeof value === "number");
const schema = v.object({
  id: text,
  parameters: jsonObject,
  status: v.picklist(["ok", "error"]),
  metrics: v.array(v.object({ name: text, values: v.array(number), steps: v.array(v.nullable(number)) })),
  error: v.optional(v.object({ name: text, message: text, cell: v.optional(v.number()) })),
  host: text,
  start: text,
  end: text,
});
