import type { Data } from "plotly.js";
import { type Figure, figure } from "../../plot/figure.ts";
import { palette } from "../../plot/template.ts";
import { bestOf, type Goal, ranked } from "../best.ts";
import { type Group, parametersText } from "../groups.ts";
import type { PointRecord } from "../record.ts";
import { COLOURS, colouring, GREY, hoverText } from "./colours.ts";
import { plotlyText } from "./plotly-text.ts";

/** Values of a curve that a figure draws. */
const MOST_VALUES = 300;
/** Curves that a figure draws: the best ones. */
const MOST_CURVES = 200;

/** The learning curves of one metric over each other. Points that differ in seeds alone have one colour. */
export function curvesFigure(groups: readonly Group[], metric: string, goal: Goal | undefined): Figure {
  const records = groups.flatMap((group) => group.records);
  const named = groups.length <= palette.length;
  const colours = goal && colouring(records, goal);
  const best = goal && bestOf(records, goal);
  const hasCurve = (record: PointRecord) =>
    record.metrics.some(({ name, values }) => name === metric && values.length > 1);
  const all = (goal ? ranked(records, goal) : records).filter(hasCurve);
  const shown = new Set(all.slice(0, MOST_CURVES));
  const drawn = groups.flatMap((group, at) =>
    group.records
      .filter((record) => shown.has(record))
      .map((record, member) => {
        const series = record.metrics.find(({ name }) => name === metric)!;
        const kept = thinned(series.values.length);
        const bin = colours?.bin(record);
        const color = named ? palette[at] : bin === undefined ? GREY : COLOURS[bin];
        return {
          type: "scatter",
          mode: "lines",
          name: plotlyText(parametersText(group.parameters)) || "every point",
          legendgroup: String(at),
          showlegend: named && groups.length > 1 && member === 0,
          x: kept.map((index) => series.steps[index] ?? index),
          y: kept.map((index) => (Number.isFinite(series.values[index]) ? series.values[index] : null)),
          text: goal ? hoverText(record, goal) : plotlyText(parametersText(record.parameters)),
          hovertemplate: `%{y:.5g} at %{x}<br>%{text}<extra></extra>`,
          opacity: record === best ? 1 : 0.7,
          line: { color, width: record === best ? 3.5 : 1.5, ...(record.status === "error" ? { dash: "dot" } : {}) },
        };
      }),
  );
  return figure({
    data: [...drawn, ...(!named && colours ? [colours.bar] : [])] as Data[],
    layout: {
      title: {
        text: `${metric}: ${all.length > MOST_CURVES ? `the best ${MOST_CURVES} of ${all.length} ` : ""}learning curves`,
      },
      height: 420,
      hovermode: "closest",
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: plotlyText(metric) }, exponentformat: "power" },
    },
  });
}

function thinned(length: number): number[] {
  if (length <= MOST_VALUES) return Array.from({ length }, (_, at) => at);
  return Array.from({ length: MOST_VALUES }, (_, at) => Math.round((at * (length - 1)) / (MOST_VALUES - 1)));
}
