import { statSync } from "node:fs";
import path from "node:path";
import { writeWhole } from "../../base/files.ts";
import { type Bundle, plotlySource } from "./figure.ts";
import type { SharePlotly } from "./page.ts";

const NAME = "plotly.min.js";

/** One plotly for all pages of a folder: the small bundle until a page needs the full one, which takes its place. */
export function sharedPlotly(folder: string): SharePlotly {
  let there: Bundle | undefined;
  return (wanted) => {
    const file = path.join(folder, NAME);
    const full = Buffer.from(plotlySource("full"));
    // Pages that an earlier run left may need the full one.
    if (statSync(file, { throwIfNoEntry: false })?.size === full.length) there = "full";
    if (there !== "full" && there !== wanted) {
      writeWhole(file, wanted === "full" ? full.toString() : plotlySource(wanted));
      there = wanted;
    }
    return NAME;
  };
}
