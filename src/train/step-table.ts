import type { StoredArray } from "../tensor/files/array.ts";
import type { StepRecord } from "./training-log.ts";

type Column = Exclude<keyof StepRecord, "times" | "metrics">;
const COLUMNS: readonly Column[] = [
  "step",
  "epoch",
  "loss",
  "accuracy",
  "learningRate",
  "gradientNorm",
  "lossScale",
  "skipped",
  "milliseconds",
  "processor",
  "elapsed",
  "liveBytes",
  "peakBytes",
  "rss",
  "sequences",
  "tokens",
  "usefulTokens",
];
const TIMES = ["data", "forward", "backward", "update"] as const;

/** The names of the metrics of a training run, apart from the accuracy, which has a column of its own. */
export const metricNames = (steps: readonly StepRecord[]): string[] => [
  ...new Set(steps.flatMap(({ metrics }) => Object.keys(metrics)).filter((name) => name !== "accuracy")),
];

/** The records as a table for a file: doubles as pairs of 32-bit words, because a stored array has the dtype of a tensor. */
export function tableOf(steps: readonly StepRecord[], metrics: readonly string[]): StoredArray {
  const rows = steps.map((record) => [
    ...COLUMNS.map((column) => Number(record[column] ?? Number.NaN)),
    ...TIMES.map((part) => record.times[part]),
    ...metrics.map((name) => record.metrics[name] ?? Number.NaN),
  ]);
  const doubles = Float64Array.from(rows.flat());
  const width = COLUMNS.length + TIMES.length + metrics.length;
  return { shape: [steps.length, width, 2], dtype: "int32", values: new Int32Array(doubles.buffer) };
}

export function recordsOf({ shape, values: words }: StoredArray, metrics: readonly string[]): StepRecord[] {
  const [rows, width] = shape as [number, number];
  const values = new Float64Array(words.buffer, words.byteOffset, rows * width);
  return Array.from({ length: rows }, (_, row) => {
    const own = values.subarray(row * width, (row + 1) * width);
    const fields = COLUMNS.map((column, i) => [column, own[i]!] as const);
    const accuracy = own[COLUMNS.indexOf("accuracy")]!;
    const others = COLUMNS.length + TIMES.length;
    return {
      ...Object.fromEntries(
        fields
          .filter(([column, value]) => column === "accuracy" || !Number.isNaN(value))
          .map(([column, value]) => [column, column === "skipped" ? value === 1 : value]),
      ),
      times: Object.fromEntries(TIMES.map((part, i) => [part, own[COLUMNS.length + i]!])),
      metrics: {
        ...(Number.isNaN(accuracy) ? {} : { accuracy }),
        ...Object.fromEntries(metrics.map((name, i) => [name, own[others + i]!])),
      },
    } as unknown as StepRecord;
  });
}
