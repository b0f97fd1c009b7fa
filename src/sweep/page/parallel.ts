import type { Data } from "plotly.js";
import { type Figure, figure } from "../../plot/figure.ts";
import { bestOf, type Goal } from "../best.ts";
import type { PointRecord } from "../record.ts";
import { lastValue } from "../table.ts";
import { COLOURS, colouring, GREY, hoverText } from "./colours.ts";
import { plotlyText, shortened } from "./plotly-text.ts";
import { scaleOf } from "./scale.ts";

/** Of a label on an axis, so that it does not reach the next axis. */
const MOST_LETTERS = 16;

/**
 * Parallel coordinates as polylines of a cartesian figure, because plotly's own need its full bundle: an axis for each parameter that varies
 * and each of `metrics`, a line for each point, coloured by the goal. Lines of failed points end after the parameters.
 */
export function parallelCoordinates(
  records: readonly PointRecord[],
  { parameters, metrics, goal }: { parameters: readonly string[]; metrics: readonly string[]; goal: Goal },
): Figure {
  const axes = [
    ...parameters.map((name) => ({ name, read: (record: PointRecord): unknown => record.parameters[name] })),
    ...metrics.map((name) => ({ name, read: (record: PointRecord): unknown => lastValue(record, name) })),
  ].map((axis) => ({ ...axis, scale: scaleOf(records.map(axis.read)) }));
  const hasLongLabels = axes[0]!.scale.ticks.some(({ text }) => text.length > MOST_LETTERS / 2);
  const { bin, bar } = colouring(records, goal);
  const best = bestOf(records, goal);
  const opacity = records.length > 100 ? 0.45 : 0.8;
  const line = (members: readonly PointRecord[]) => {
    const x: (number | null)[] = [];
    const y: (number | null)[] = [];
    const text: string[] = [];
    for (const record of members) {
      const label = hoverText(record, goal);
      for (const [at, { scale, read }] of axes.entries()) {
        x.push(at);
        y.push(scale.at(read(record)) ?? null);
        text.push(label);
      }
      x.push(null);
      y.push(null);
      text.push("");
    }
    return { type: "scatter", mode: "lines", x, y, text, hoverinfo: "text", showlegend: false, connectgaps: false };
  };
  const without = records.filter((record) => bin(record) === undefined);
  const data = [
    { ...line(without), line: { color: GREY, dash: "dot", width: 1 } },
    ...COLOURS.map((color, at) => ({
      ...line(records.filter((record) => bin(record) === at)),
      opacity,
      line: { color, width: 1.5 },
    })),
    ...(best ? [{ ...line([best]), line: { color: COLOURS.at(-1), width: 4 } }] : []),
    ...axes.map(({ scale: { ticks } }, at) => ({
      type: "scatter",
      mode: "lines+text",
      x: ticks.map(() => at),
      y: ticks.map((tick) => tick.at),
      text: ticks.map((tick) => `${plotlyText(shortened(tick.text, MOST_LETTERS))} `),
      textposition: "middle left",
      hoverinfo: "skip",
      showlegend: false,
      line: { color: GREY, width: 1.5 },
    })),
    bar,
  ] as Data[];
  return figure({
    data,
    layout: {
      title: { text: "Parameters and results of every point" },
      height: 420,
      hovermode: "closest",
      xaxis: {
        tickvals: axes.map((_, at) => at),
        ticktext: axes.map(({ name }) => plotlyText(name)),
        range: [hasLongLabels ? -0.9 : -0.5, axes.length - 0.75],
        showgrid: false,
        zeroline: false,
        fixedrange: true,
      },
      yaxis: { visible: false, range: [-0.06, 1.06], fixedrange: true },
    },
  });
}
