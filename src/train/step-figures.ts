import type { Data } from "plotly.js";
import { type Figure, figure } from "../plot/figure.ts";
import { palette } from "../plot/template.ts";
import { lossTitle } from "./curves.ts";
import { type History, type StepRecord, speedOf } from "./training-log.ts";

/** Most points in a line, so that a figure that is drawn repeatedly stays small. */
const POINTS = 300;

/** Plots loss and useful tokens (or, without sequences, examples) per second over the steps so far, as `train` shows them in a notebook. */
export function trainingFigure(history: History, { total, title }: { total?: number; title?: string } = {}): Figure {
  const parts = grouped(history.steps);
  const x = parts.map((part) => part.at(-1)!.step);
  const losses: Data[] = [
    {
      x,
      y: parts.map((part) => mean(part, ({ loss }) => loss)),
      name: "training loss",
      mode: "lines",
      line: { color: palette[0], width: 2 },
    },
  ];
  if (history.evaluations.length > 0) {
    losses.push({
      x: history.evaluations.map(({ step }) => step),
      y: history.evaluations.map(({ loss }) => loss),
      name: "validation loss",
      mode: "lines+markers",
      line: { color: palette[1], width: 2 },
    });
  }
  const { unit } = speedOf(history.steps);
  const speed: Data = {
    x,
    y: parts.map((part) => speedOf(part).value),
    name: unit,
    mode: "lines",
    yaxis: "y2",
    line: { color: palette[2], width: 2 },
  };
  const last = history.steps.at(-1)?.step ?? 0;
  return figure({
    data: [...losses, speed],
    layout: {
      title: { text: title ?? `Step ${last}${total ? ` of ${total}` : ""}` },
      height: 440,
      xaxis: { title: { text: "step" }, anchor: "y2", ...(total ? { range: [0, total] } : {}) },
      yaxis: { title: { text: lossTitle(history) }, domain: [0.45, 1] },
      yaxis2: { title: { text: unit }, domain: [0, 0.35], rangemode: "tozero" },
    },
  });
}

/**
 * Plots the time of each step as stacked areas: making the batch, forward pass, backward pass and update. A captured step computes
 * both passes at once, which have an area of their own; `train` with `capture: false` shows the two apart.
 */
export function stepTimes(history: History, { title = "Where a step's time goes" } = {}): Figure {
  const parts = grouped(history.steps);
  const x = parts.map((part) => part.at(-1)!.step);
  const both = ({ gradients, forward = 0, backward = 0 }: StepRecord["times"]) => gradients - forward - backward;
  const isShared = history.steps.some(({ times }) => times.exchange !== undefined);
  const isCaptured = history.steps.some(({ times }) => times.forward === undefined);
  const area = (name: string, of: (times: StepRecord["times"]) => number, color: string): Data => ({
    x,
    y: parts.map((part) => mean(part, ({ times }) => of(times))),
    name,
    mode: "lines",
    stackgroup: "time",
    line: { color, width: 1 },
  });
  return figure({
    data: [
      area("data", ({ data }) => data, palette[5]),
      area("forward", ({ forward = 0 }) => forward, palette[0]),
      area("backward", ({ backward = 0 }) => backward, palette[4]),
      ...(isCaptured ? [area("forward and backward", both, palette[3])] : []),
      ...(isShared ? [area("exchange", ({ exchange = 0 }) => exchange, palette[6])] : []),
      area("update", ({ update }) => update, palette[2]),
    ],
    layout: {
      title: { text: title },
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: "milliseconds a step" }, rangemode: "tozero" },
    },
  });
}

/** The steps in at most `POINTS` groups of consecutive ones. */
function grouped(steps: readonly StepRecord[]): StepRecord[][] {
  const size = Math.max(1, Math.ceil(steps.length / POINTS));
  return Array.from({ length: Math.ceil(steps.length / size) }, (_, i) => steps.slice(i * size, (i + 1) * size));
}

function mean(steps: readonly StepRecord[], pick: (step: StepRecord) => number): number {
  return steps.reduce((sum, step) => sum + pick(step), 0) / steps.length;
}
