import type { Data } from "plotly.js";
import { formatBytes } from "../base/bytes.ts";
import { type Figure, figure, palette } from "../plot/index.ts";
import { ink } from "../plot/template.ts";
import { type Breakdown, causes } from "./breakdown.ts";

const MIB = 2 ** 20;

/** Native memory over time as stacked areas by cause, with the predicted peak as a line. */
export function timelineFigure({ timeline }: Breakdown, predicted?: number): Figure {
  const x = timeline.map(({ at }) => at);
  const areas: Data[] = causes.map((cause, i) => ({
    x,
    y: timeline.map(({ byCause }) => byCause[cause] / MIB),
    name: cause,
    mode: "lines",
    stackgroup: "held",
    line: { width: 0.5, color: palette[i]! },
  }));
  const line: Data[] =
    predicted === undefined
      ? []
      : [
          {
            x: [x[0] ?? 0, x.at(-1) ?? 0],
            y: [predicted / MIB, predicted / MIB],
            name: "predicted peak",
            mode: "lines",
            line: { color: ink, width: 2, dash: "dash" },
          },
        ];
  return figure({
    data: [...areas, ...line],
    layout: {
      title: { text: "Native memory by cause" },
      xaxis: { title: { text: "milliseconds" } },
      yaxis: { title: { text: "tensors (MiB)" }, rangemode: "tozero" },
    },
  });
}

/** The strength of a cause's colour in its own box, its layers and their ops; dark text is legible on all. */
const SHARES = [0, 0.6, 0.4, 0.25];

function tint(color: string, share: number): string {
  const parts = [1, 3, 5].map((at) => Math.round(255 + (Number.parseInt(color.slice(at, at + 2), 16) - 255) * share));
  return `rgb(${parts.join(",")})`;
}

/** Memory at the peak as a treemap of causes, layers and ops, with areas in proportion to bytes. */
export function treemapFigure({ peakParts, peak }: Breakdown): Figure {
  const nodes = new Map<string, { label: string; parent: string; bytes: number }>();
  const add = (id: string, label: string, parent: string, bytes: number) => {
    const node = nodes.get(id);
    if (node) node.bytes += bytes;
    else nodes.set(id, { label, parent, bytes });
  };
  add("all", "held at the peak", "", peak);
  for (const { cause, layer, op, bytes } of peakParts) {
    add(cause, cause, "all", bytes);
    const inLayer = `${cause}|${layer}`;
    add(inLayer, layer || "outside of layers", cause, bytes);
    add(`${inLayer}|${op}`, op, inLayer, bytes);
  }
  const entries = [...nodes];
  const depths = entries.map(([id]) => (id === "all" ? 0 : id.split("|").length));
  const colors = entries.map(([id], i) => {
    const cause = (causes as readonly string[]).indexOf(id.split("|")[0]!);
    return cause < 0 ? "#e6e6e6" : tint(palette[cause]!, SHARES[depths[i]!]!);
  });
  return figure({
    data: [
      {
        type: "treemap",
        name: "bytes held at the peak",
        ids: entries.map(([id]) => id),
        labels: entries.map(([, { label }]) => label),
        parents: entries.map(([, { parent }]) => parent),
        values: entries.map(([, { bytes }]) => bytes),
        text: entries.map(([, { bytes }]) => formatBytes(bytes)),
        branchvalues: "total",
        marker: { colors, depthfade: false },
        textfont: { color: "#1b1b1b" },
        textinfo: "label+text+percent parent",
        hovertemplate: "%{label}<br>%{text}<extra></extra>",
      } as unknown as Data,
    ],
    layout: {
      title: { text: "Memory at the peak, by cause" },
      height: 480,
      hovermode: "closest",
      // Not in the types yet.
      ...{ uniformtext: { minsize: 10, mode: "hide" } },
    },
  });
}
