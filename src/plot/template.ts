import type { Config, Layout } from "plotly.js";

/**
 * Colours that people with any kind of colour vision tell apart (Okabe & Ito 2008), those first that show on white and on
 * black alike.
 */
export const palette = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"] as const;

/** Grey that is legible on white and on black. */
const ink = "#808080";
const grid = "rgba(128, 128, 128, 0.25)";

const axis = {
  gridcolor: grid,
  linecolor: grid,
  zerolinecolor: grid,
  automargin: true,
  title: { standoff: 10 },
} as const;

/** The look of every figure: the page shows through, text and grid are grey. */
export const baseLayout: Partial<Layout> = {
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)",
  font: { color: ink, family: "system-ui, sans-serif", size: 13 },
  colorway: [...palette],
  title: { x: 0.02, xanchor: "left", y: 1, yref: "container", yanchor: "top", pad: { t: 14 } },
  margin: { l: 60, r: 20, t: 80, b: 50 },
  height: 360,
  hovermode: "x unified",
  legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
  xaxis: axis,
  yaxis: axis,
};

export const baseConfig: Partial<Config> = { responsive: true, displaylogo: false };
