import type { Plan } from "./plan.ts";
import type { PointRecord } from "./record.ts";

/** A cell of the table; null where there is no value. */
export type Value = string | number | boolean | null;

/** A column of the table of results. */
export interface ResultColumn {
  name: string;
  kind: "point" | "parameter" | "metric" | "fact";
  /** One value for each record. */
  values: Value[];
}

/** The table of results: a row for each point that has ended, a column for each parameter and each metric's last value. */
export function resultColumns(records: readonly PointRecord[]): ResultColumn[] {
  const parameters = namesOf(records.map((record) => Object.keys(record.parameters)));
  const metrics = metricNames(records);
  const facts = ["point", "status", "error", "seconds", "start", "host"];
  const known = new Set(facts);
  const free = (name: string, kind: string): string => {
    let unique = name;
    while (known.has(unique)) unique = `${kind}.${unique}`;
    known.add(unique);
    return unique;
  };
  const column = (name: string, kind: ResultColumn["kind"], read: (record: PointRecord) => unknown): ResultColumn => ({
    name,
    kind,
    values: records.map((record) => simple(read(record))),
  });
  return [
    column("point", "point", ({ id }) => id),
    ...parameters.map((name) => column(free(name, "parameter"), "parameter", (record) => record.parameters[name])),
    ...metrics.map((name) => column(free(name, "metric"), "metric", (record) => lastValue(record, name))),
    column("status", "fact", ({ status }) => status),
    column("error", "fact", ({ error }) => error && errorText(error)),
    column("seconds", "fact", secondsOf),
    column("start", "fact", ({ start }) => start),
    column("host", "fact", ({ host }) => host),
  ];
}

/** The names of all metrics, in the order in which they were first reported. */
export function metricNames(records: readonly PointRecord[]): string[] {
  return namesOf(records.map(({ metrics }) => metrics.map(({ name }) => name)));
}

/** The parameters that a plan gives, in the order of the command line. */
export function parameterNames({ points }: Plan): string[] {
  return namesOf(points.map(({ parameters }) => Object.keys(parameters)));
}

/** A metric's result: the last value; undefined if the point did not report the metric. */
export function lastValue({ metrics }: PointRecord, name: string): number | undefined {
  return metrics.find((each) => each.name === name)?.values.at(-1);
}

export const secondsOf = ({ start, end }: PointRecord): number => (Date.parse(end) - Date.parse(start)) / 1000;

export const errorText = ({ name, message }: NonNullable<PointRecord["error"]>): string => `${name}: ${message}`;

function namesOf(lists: string[][]): string[] {
  return [...new Set(lists.flat())];
}

/** Lists and objects become JSON. */
function simple(value: unknown): Value {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return JSON.stringify(value);
}
