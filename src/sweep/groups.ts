import { shortNumber } from "../base/short-number.ts";
import { formatParameter, sourceOf } from "../notebook/parameter-values.ts";
import type { Parameters } from "../notebook/parameters.ts";
import { isSeed } from "./axis.ts";
import type { Goal } from "./best.ts";
import type { PointRecord } from "./record.ts";
import { lastValue } from "./table.ts";

/** Points that differ in seeds alone: repetitions of one setting. */
export interface Group {
  /** The parameters without the seeds. */
  parameters: Parameters;
  records: PointRecord[];
  /** Of the goal's metric over the points that report it. */
  mean: number;
  /** The standard deviation of the sample; NaN for fewer than two values. */
  spread: number;
  /** The number of values. */
  count: number;
}

/** The groups of these records, in the order of their first points. */
export function groupsOf(records: readonly PointRecord[], goal: Goal | undefined): Group[] {
  const found = new Map<string, PointRecord[]>();
  for (const record of records) {
    const key = sourceOf(withoutSeeds(record.parameters));
    found.set(key, [...(found.get(key) ?? []), record]);
  }
  return [...found.values()].map((members) => {
    const values = members.flatMap((record) => {
      const value = goal && record.status === "ok" ? lastValue(record, goal.metric) : undefined;
      return value === undefined ? [] : [value];
    });
    return {
      parameters: withoutSeeds(members[0]!.parameters),
      records: members,
      count: values.length,
      ...moments(values),
    };
  });
}

/** `rate=0.01 optimizer="adam"`. */
export function parametersText(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(" ");
}

/** A text with spaces or line breaks is quoted, so that it stays one word on one line. */
export const valueText = (value: unknown): string =>
  typeof value === "number"
    ? shortNumber(value)
    : typeof value === "string" && !/^$|[\s"=]/.test(value)
      ? value
      : formatParameter(value);

function withoutSeeds(parameters: Parameters): Parameters {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !isSeed(name)));
}

function moments(values: number[]): { mean: number; spread: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : Number.NaN };
}
