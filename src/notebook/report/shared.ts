import { statSync } from "node:fs";
import path from "node:path";
import { writeWhole } from "../../base/files.ts";
import { type Bundle, plotlySource } from "../../plot/plotly.ts";
import type { SharePlotly } from "./page.ts";

const NAME = "plotly.min.js";

/** Shares one plotly file among all pages of a folder: the cartesian bundle, until a page needs the full one, which replaces it. */
export function sharedPlotly(folder: string): SharePlotly {
  let current: Bundle | undefined;
  return (wanted) => {
    const file = path.join(folder, NAME);
    const full = Buffer.from(plotlySource("full"));
    // Pages of an earlier run may need the full bundle.
    if (statSync(file, { throwIfNoEntry: false })?.size === full.length) current = "full";
    if (current !== "full" && current !== wanted) {
      writeWhole(file, wanted === "full" ? full.toString() : plotlySource(wanted));
      current = wanted;
    }
    return NAME;
  };
}
