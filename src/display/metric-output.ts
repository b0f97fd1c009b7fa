/** The typed output by which `metric` reports a result. `halftone sweep` reads it from executed notebooks. */
export const METRIC = "application/vnd.halftone.metric+json";

/** The values of one metric, in the order in which they were reported. */
export interface MetricSeries {
  name: string;
  values: number[];
  /** The step of each value; null for a value that was reported without a step. */
  steps: (number | null)[];
}

/** A series as the output has it: JSON has no NaN and no infinities. */
export interface MetricOutput {
  name: string;
  values: (number | "NaN" | "Infinity" | "-Infinity")[];
  steps: (number | null)[];
}

/** All metrics of a notebook's outputs; values of one name that several outputs have are one series. Malformed outputs are left out. */
export function metricSeries(outputs: readonly object[]): MetricSeries[] {
  const found = new Map<string, MetricSeries>();
  for (const output of outputs) {
    const said = (output as { data?: Record<string, unknown> }).data?.[METRIC];
    if (!isMetricOutput(said)) continue;
    const series = found.get(said.name) ?? { name: said.name, values: [], steps: [] };
    found.set(said.name, {
      name: said.name,
      values: series.values.concat(said.values.map(Number)),
      steps: series.steps.concat(said.steps),
    });
  }
  return [...found.values()];
}

function isMetricOutput(value: unknown): value is MetricOutput {
  const { name, values, steps } = (value ?? {}) as Partial<Record<keyof MetricOutput, unknown>>;
  return (
    typeof name === "string" &&
    Array.isArray(values) &&
    values.every((each) => typeof each === "number" || ["NaN", "Infinity", "-Infinity"].includes(each)) &&
    Array.isArray(steps) &&
    steps.every((each) => each === null || typeof each === "number") &&
    values.length === steps.length
  );
}
