import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/**
 * The trace types of plotly's cartesian bundle. A page contains the full bundle only for other traces, because it is several times larger
 * and its WebGL traces need a policy that allows `eval`.
 */
const CARTESIAN = new Set(
  "bar box contour heatmap histogram histogram2d histogram2dcontour image pie scatter scatterternary violin".split(" "),
);

/** A file of plotly. The full bundle draws everything that the cartesian one does. */
export type Bundle = "cartesian" | "full";

/** The smallest bundle that draws these traces. */
export function bundleOf(traces: readonly { type?: string | undefined }[]): Bundle {
  return traces.every(({ type = "scatter" }) => CARTESIAN.has(type)) ? "cartesian" : "full";
}

/** Plotly's source code. */
export function plotlySource(bundle: Bundle): string {
  return readFileSync(plotlyFile(bundle), "utf8");
}

export function plotlyAddress(bundle: Bundle): string {
  return pathToFileURL(plotlyFile(bundle)).href;
}

function plotlyFile(bundle: Bundle): string {
  const files = {
    full: "plotly.js-dist-min/plotly.min.js",
    cartesian: "plotly.js-cartesian-dist-min/plotly-cartesian.min.js",
  };
  return createRequire(import.meta.url).resolve(files[bundle]);
}
