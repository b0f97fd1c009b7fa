import type { Layout } from "plotly.js";
import { checkPositiveInteger } from "../base/checks.ts";
import { type Figure, figure } from "./figure.ts";
import { palette } from "./template.ts";

/** Options of `histogram`. */
export interface HistogramOptions {
  title: string;
  /** The x axis' title: what the values are, with their unit. */
  x: string;
  /** The y axis' title; `"count"` by default. */
  y?: string;
  /** Most bins; 40 by default. Bins of integers have integer width. */
  bins?: number;
  /** Values to mark with a labelled line. */
  marks?: readonly { value: number; label: string }[];
}

/**
 * A histogram of the finite values. The bins are counted before plotting, so the figure is small for any number of values.
 *
 * @throws RangeError when no value is finite, or `bins` is not a positive integer
 */
export function histogram(values: ArrayLike<number>, options: HistogramOptions): Figure {
  const { title, x, y = "count", bins = 40, marks = [] } = options;
  checkPositiveInteger("bins", bins);
  const finite = Array.from(values).filter(Number.isFinite);
  if (finite.length === 0) throw new RangeError("histogram: expected at least one finite value, got none");
  const low = finite.reduce((a, b) => Math.min(a, b));
  const high = finite.reduce((a, b) => Math.max(a, b));
  const whole = finite.every(Number.isInteger);
  const width = whole ? Math.max(1, Math.ceil((high - low + 1) / bins)) : (high - low) / bins || 1;
  const counts = new Array<number>(Math.max(1, Math.ceil((high - low + (whole ? 1 : 0)) / width))).fill(0);
  for (const value of finite) counts[Math.min(counts.length - 1, Math.floor((value - low) / width))]!++;
  const centres = counts.map((_, i) => low + i * width + (whole ? (width - 1) / 2 : width / 2));
  const shapes: Layout["shapes"] = marks.map(({ value }) => ({
    type: "line",
    x0: value,
    x1: value,
    yref: "paper",
    y0: 0,
    y1: 1,
    line: { color: palette[5], width: 2, dash: "dash" },
  }));
  const annotations = marks.map(({ value, label }) => ({
    x: value,
    yref: "paper" as const,
    y: 1,
    text: label,
    showarrow: false,
    xanchor: "left" as const,
    yanchor: "top" as const,
    xshift: 4,
  }));
  return figure({
    data: [{ type: "bar", x: centres, y: counts, width, name: y, marker: { color: palette[0] } }],
    layout: {
      title: { text: title },
      xaxis: { title: { text: x } },
      yaxis: { title: { text: y } },
      bargap: 0.02,
      hovermode: "closest",
      shapes,
      annotations,
    },
  });
}
