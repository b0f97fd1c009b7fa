import type { Data } from "plotly.js";
import { type Figure, figure } from "../plot/figure.ts";
import { palette } from "../plot/template.ts";
import type { Plan } from "./plan.ts";
import { type PlanStatistics, planStatistics, rectangleWidths } from "./statistics.ts";

/** Options of `batchRectangles`. */
export interface BatchRectanglesOptions {
  /** Which epoch's batches; 0 by default. */
  epoch?: number;
  /** How many batches to draw, beginning with the first; 8 by default. */
  batches?: number;
  /** By default the strategy and its share of padding. */
  title?: string;
}

/** Empty rows between two batches, and empty columns between two rectangles of a batch. */
const GAP = 2;

/** The colours of the names' tokens, in the palette. */
const TOKEN_COLORS = [0, 2, 3, 5];

/**
 * Draws batches as the rectangles that the model computes on, one below the other: tokens in blue, padding in orange.
 * Sequences that share a packed row alternate in shade. Where an example has several sequences, the rectangles of a batch are side by
 * side. The title gives the epoch's share of padding, as `planStatistics` does; where only some batches are drawn, the axis gives
 * their share.
 */
export function batchRectangles(plan: Plan, options: BatchRectanglesOptions = {}): Figure {
  const { epoch = 0, batches: count = 8 } = options;
  const drawn = plan.epoch(epoch).slice(0, count);
  const lists = Object.entries(plan.lengthsByName ?? { tokens: plan.lengths });
  const padding = boxes();
  const tokens = lists.map(() => [boxes(), boxes()] as const);
  let top = 0;
  let slots = 0;
  let useful = 0;
  for (const batch of drawn) {
    const { time, rows } = batch;
    let left = 0;
    rectangleWidths(batch).forEach((width, l) => {
      rows.forEach((row, r) => {
        let at = left;
        row.forEach((i, segment) => {
          const length = lists[l]![1][i]!;
          tokens[l]![segment % 2 === 0 ? 0 : 1].add(at, at + length, top + r, top + r + 1);
          at += length;
        });
        if (at < left + width) padding.add(at, left + width, top + r, top + r + 1);
        useful += at - left;
      });
      left += width + GAP;
    });
    slots += rows.length * time;
    top += rows.length + GAP;
  }
  const percent = (share: number) => `${(100 * share).toFixed(1)}% padding`;
  const epochPadding = percent(planStatistics(plan, { epoch }).paddingShare);
  const isPart = drawn.length < plan.epoch(epoch).length;
  const title = options.title ?? `${capital(plan.strategy)}: ${epochPadding}${isPart ? " in the epoch" : ""}`;
  const rows = `rows of the first ${drawn.length} batches${isPart ? `, ${percent(1 - useful / slots)}` : ""}`;
  const traces = [
    trace(padding, "padding", palette[1], 0.85),
    ...lists.flatMap(([name], l) => {
      const [even, odd] = tokens[l]!;
      const color = palette[TOKEN_COLORS[l % TOKEN_COLORS.length]!]!;
      if (lists.length > 1) return [trace(even, name, color, 1), trace(odd, `next ${name} in the row`, color, 0.6)];
      return [trace(even, name, color, 1), trace(odd, "next sequence in the row", palette[4], 1)];
    }),
  ];
  return figure({
    data: traces.filter(({ x }) => (x as number[]).length > 0),
    layout: {
      title: { text: title },
      height: 420,
      hovermode: "closest",
      xaxis: { title: { text: "tokens" }, rangemode: "tozero", showgrid: false },
      yaxis: {
        title: { text: rows },
        autorange: "reversed",
        showgrid: false,
        zeroline: false,
      },
    },
  });
}

/** Stacked bars of tokens and padding in an epoch, one bar for each plan. */
export function paddingComparison(
  plans: readonly (Plan | PlanStatistics)[],
  { title = "Slots per epoch: tokens and padding", names }: { title?: string; names?: readonly string[] } = {},
): Figure {
  const all = plans.map((each) => ("epoch" in each ? planStatistics(each) : each));
  const x = all.map(({ strategy }, i) => names?.[i] ?? strategy);
  const bar = (name: string, y: number[], color: string, text: string[]): Data => ({
    type: "bar",
    name,
    x,
    y,
    text,
    textposition: "auto",
    marker: { color },
  });
  return figure({
    data: [
      bar(
        "tokens",
        all.map(({ useful }) => useful),
        palette[0],
        all.map(({ batches }) => `${batches} batches`),
      ),
      bar(
        "padding",
        all.map(({ useful, slots }) => slots - useful),
        palette[1],
        all.map(({ paddingShare }) => `${(100 * paddingShare).toFixed(1)}%`),
      ),
    ],
    layout: {
      title: { text: title },
      barmode: "stack",
      hovermode: "x unified",
      yaxis: { title: { text: "slots in an epoch" }, rangemode: "tozero" },
    },
  });
}

/** Rectangles as one outline, separated by `null`, which plotly fills as one trace. */
function boxes() {
  const x: (number | null)[] = [];
  const y: (number | null)[] = [];
  return {
    x,
    y,
    add(left: number, right: number, top: number, bottom: number) {
      x.push(left, right, right, left, left, null);
      y.push(top, top, bottom, bottom, top, null);
    },
  };
}

function trace({ x, y }: ReturnType<typeof boxes>, name: string, fillcolor: string, opacity: number) {
  return {
    x,
    y,
    name,
    mode: "lines" as const,
    fill: "toself" as const,
    fillcolor,
    opacity,
    line: { width: 0 },
    hoverinfo: "name" as const,
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
