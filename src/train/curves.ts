import type { Data } from "plotly.js";
import type { MemoryProbe } from "../memory/index.ts";
import { type Figure, figure } from "../plot/figure.ts";
import { palette } from "../plot/template.ts";
import type { Objective } from "./objective.ts";
import type { Evaluation, History } from "./training-log.ts";

const MIB = 2 ** 20;

const TITLES: Readonly<Record<Objective, string>> = {
  crossEntropy: "cross-entropy (nats)",
  meanSquaredError: "mean squared error",
  binaryCrossEntropy: "binary cross-entropy (nats)",
  tokenCrossEntropy: "cross-entropy (nats a token)",
  nextToken: "cross-entropy (nats a token)",
};

/** What the loss of a training is, for an axis. */
export const lossTitle = ({ loss }: History): string => (loss ? TITLES[loss] : "loss");

/** Plots the loss of each step, its moving average, and the validation loss. */
export function lossCurve(history: History, { title = "Loss over steps" } = {}): Figure {
  const step = history.steps.map((record) => record.step);
  const loss = history.steps.map((record) => record.loss);
  return figure({
    data: [
      { x: step, y: loss, name: "each step", mode: "lines", line: { color: palette[4], width: 1 }, opacity: 0.5 },
      { x: step, y: smooth(loss), name: "moving average", mode: "lines", line: { color: palette[0], width: 2.5 } },
      ...evaluated(history, (evaluation) => evaluation.loss, "validation"),
    ],
    layout: {
      title: { text: title },
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: lossTitle(history) } },
    },
  });
}

/**
 * Plots a metric of each step, as a moving average, and of the evaluations. A metric named `accuracy` is in percent.
 *
 * @throws RangeError when neither steps nor evaluations have the metric, with the names that they have
 */
export function metricCurve(history: History, metric: string, { title = `${metric} over steps` } = {}): Figure {
  const names = new Set([...history.steps, ...history.evaluations].flatMap(({ metrics }) => Object.keys(metrics)));
  if (names.size > 0 && !names.has(metric)) {
    throw new RangeError(`metricCurve: the history has no metric "${metric}", only ${[...names].join(", ")}`);
  }
  const percent = metric === "accuracy" ? { tickformat: ".0%", rangemode: "tozero" as const } : {};
  // A metric that `train` was asked for by name is of the evaluations only.
  const steps = history.steps.filter(({ metrics }) => metrics[metric] !== undefined);
  const training: Data = {
    x: steps.map((record) => record.step),
    y: smooth(steps.map(({ metrics }) => metrics[metric]!)),
    name: "training, moving average",
    mode: "lines",
    line: { color: palette[0], width: 2.5 },
  };
  return figure({
    data: [
      ...(steps.length > 0 ? [training] : []),
      ...evaluated(history, ({ metrics }) => metrics[metric] ?? Number.NaN, "validation"),
    ],
    layout: {
      title: { text: title },
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: metric }, ...percent },
    },
  });
}

/**
 * Plots training and validation accuracy over steps, and a line at `chance` where it is given.
 *
 * @throws RangeError when the loss of the training gave no accuracy
 */
export function accuracyCurve(
  history: History,
  { chance, title = "Accuracy over steps" }: { chance?: number; title?: string } = {},
): Figure {
  const curve = metricCurve(history, "accuracy", { title });
  if (chance === undefined) return curve;
  const line: Data = {
    x: [history.steps[0]?.step ?? 0, history.steps.at(-1)?.step ?? 0],
    y: [chance, chance],
    name: "always the most frequent answer",
    mode: "lines",
    line: { color: palette[5], width: 2, dash: "dash" },
  };
  return figure({ data: [...curve.data, line], layout: curve.layout });
}

/**
 * Plots memory in MiB over time: tensors held after each step, the peak during it, and the process; or the same from the probes
 * of `sampleMemory`.
 */
export function memoryTimeline(source: History | readonly MemoryProbe[], { title = "Memory over time" } = {}): Figure {
  const points = isHistory(source)
    ? source.steps.map(({ elapsed, liveBytes, peakBytes, rss }) => ({
        at: elapsed,
        live: liveBytes,
        peak: peakBytes,
        rss,
      }))
    : source.map(({ at, nativeLive, nativePeak, rss }) => ({ at, live: nativeLive, peak: nativePeak, rss }));
  const start = isHistory(source) ? 0 : (points[0]?.at ?? 0);
  const x = points.map(({ at }) => (at - start) / 1000);
  const trace = (name: string, key: "live" | "peak" | "rss", color: string, axis: "y" | "y2"): Data => ({
    x,
    y: points.map((point) => point[key] / MIB),
    name,
    mode: "lines",
    yaxis: axis,
    line: { color, width: 2 },
  });
  return figure({
    data: [
      trace("tensors, peak", "peak", palette[5], "y"),
      trace("tensors, held", "live", palette[0], "y"),
      trace("whole process", "rss", palette[2], "y2"),
    ],
    layout: {
      title: { text: title },
      height: 440,
      xaxis: { title: { text: "seconds" }, anchor: "y2" },
      yaxis: { title: { text: "tensors (MiB)" }, domain: [0.45, 1], rangemode: "tozero" },
      yaxis2: { title: { text: "process (MiB)" }, domain: [0, 0.35], rangemode: "tozero" },
    },
  });
}

function evaluated(history: History, measure: (evaluation: Evaluation) => number, name: string): Data[] {
  if (history.evaluations.length === 0) return [];
  return [
    {
      x: history.evaluations.map(({ step }) => step),
      y: history.evaluations.map(measure),
      name,
      mode: "lines+markers",
      line: { color: palette[1], width: 2 },
      marker: { size: 8 },
    },
  ];
}

/**
 * The mean of the values around each, a twenty-fifth of all and at most 10 on either side. A mean of the past alone would lie above a
 * loss that falls. At the start the window is as narrow on both sides; at the end it has only what there is.
 */
function smooth(values: readonly number[]): number[] {
  const widest = Math.min(10, Math.ceil(values.length / 25));
  return values.map((_, i) => {
    const reach = Math.min(widest, i);
    const window = values.slice(i - reach, i + reach + 1);
    return window.reduce((sum, value) => sum + value, 0) / window.length;
  });
}

function isHistory(source: History | readonly MemoryProbe[]): source is History {
  return "steps" in source;
}
