import type { Config, Layout } from "plotly.js";

/**
 * Colours that people with any kind of colour vision can distinguish (Okabe & Ito 2008). Those that show equally well on
 * white and on black come first.
 */
export const palette = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"] as const;

/** The lightest grey with a contrast of 4.5:1 on white (WCAG 2.2, 1.4.3); on black it has 4.6:1. */
export const ink = "#767676";
export const grid = "rgba(128, 128, 128, 0.25)";

const axis = {
  gridcolor: grid,
  linecolor: grid,
  zerolinecolor: grid,
  automargin: true,
  title: { standoff: 10 },
} as const;

/** The layout of every figure: transparent, with grey text and grid. */
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
  // Labels that do not fit side by side are vertical, because slanted ones overlap.
  xaxis: { ...axis, ...{ autotickangles: [0, 90] } },
  yaxis: axis,
};

/**
 * Not `responsive`: JupyterLab resizes figures itself, and with both a figure collapses when the window is resized. The page of
 * a report sets it.
 */
export const baseConfig: Partial<Config> = { displaylogo: false };
