import type { Data } from "plotly.js";
import { shortNumber } from "../../base/short-number.ts";
import type { Goal } from "../best.ts";
import { parametersText } from "../groups.ts";
import type { PointRecord } from "../record.ts";
import { lastValue } from "../table.ts";
import { plotlyText } from "./plotly-text.ts";

/** From the worst value of the goal to the best: distinguishable with any colour vision, on white and on black. */
export const COLOURS = ["#8C9BB0", "#4F8FC0", "#0072B2", "#009E73", "#E69F00", "#D55E00"];
export const GREY = "rgba(128,128,128,0.6)";

/** How the goal's values become colours. */
export function colouring(records: readonly PointRecord[], { metric, direction }: Goal) {
  const values = records.flatMap((record) => lastValue(record, metric) ?? []).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const shareOf = (record: PointRecord): number | undefined => {
    const value = lastValue(record, metric);
    if (record.status === "error" || value === undefined || !Number.isFinite(value)) return undefined;
    const share = low === high ? 1 : (value - low) / (high - low);
    return direction === "max" ? share : 1 - share;
  };
  const colorscale = COLOURS.map((colour, at) => [at / (COLOURS.length - 1), colour]);
  return {
    bin: (record: PointRecord) => {
      const share = shareOf(record);
      return share === undefined ? undefined : Math.min(COLOURS.length - 1, Math.floor(share * COLOURS.length));
    },
    /** A trace without points that carries the colour bar. */
    bar: {
      type: "scatter",
      mode: "markers",
      x: [null],
      y: [null],
      showlegend: false,
      hoverinfo: "skip",
      marker: {
        color: [low],
        cmin: low,
        cmax: high,
        colorscale,
        reversescale: direction === "min",
        showscale: low < high,
        colorbar: { title: { text: plotlyText(metric), side: "right" }, thickness: 12, outlinewidth: 0 },
      },
    } as Data,
  };
}

/** What a figure shows of a point under the mouse. */
export function hoverText(record: PointRecord, { metric }: Goal): string {
  const value = lastValue(record, metric);
  const result = record.status === "error" ? "failed" : value === undefined ? "" : `${metric} ${shortNumber(value)}`;
  return [parametersText(record.parameters), result].filter(Boolean).map(plotlyText).join("<br>");
}
