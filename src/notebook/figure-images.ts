import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../base/user-error.ts";
import { findBrowser, renderedPage } from "./browser.ts";
import type { Notebook } from "./nbformat.ts";
import { PLOTLY } from "./report/figure.ts";

/** In CSS pixels, for a figure whose layout has no size: plotly's default height, and the width of a page's column. */
const defaultSize = { width: 760, height: 450 };
/** Image pixels per CSS pixel. */
const scale = 2;

interface Figure {
  data?: unknown;
  layout?: { width?: unknown; height?: unknown };
}
type DrawResult = { png: string } | { error: string };

/**
 * Adds a PNG to every plotly figure that has none, for programs that cannot run plotly, such as nbconvert for LaTeX and PDF. Plotly
 * draws the figures in a browser of this machine; without figures no browser is needed. Returns the number of figures drawn.
 */
export async function addFigureImages(notebook: Notebook): Promise<number> {
  const outputs = notebook.cells
    .flatMap((cell) => (cell.cell_type === "code" ? cell.outputs : []))
    .filter((output) => output.output_type === "display_data" || output.output_type === "execute_result")
    .filter(({ data }) => data[PLOTLY] !== undefined && data["image/png"] === undefined);
  if (outputs.length === 0) return 0;
  const results = await draw(outputs.map(({ data }) => data[PLOTLY] as Figure));
  for (const [index, output] of outputs.entries()) {
    const image = results[index] ?? { error: "the browser returned no image" };
    if ("error" in image) throw new UserError(`Figure ${index + 1} could not be drawn: ${image.error}`, 1);
    output.data["image/png"] = `${image.png}\n`;
    output.metadata["image/png"] = sizeOf(output.data[PLOTLY] as Figure);
  }
  return outputs.length;
}

async function draw(figures: Figure[]): Promise<DrawResult[]> {
  const browser = findBrowser();
  if (!browser)
    throw new UserError(
      "No browser was found to draw the figures: install Chromium or Chrome, or set HALFTONE_BROWSER to a browser's path.",
      1,
    );
  const folder = mkdtempSync(path.join(tmpdir(), "halftone-figures-"));
  try {
    const page = path.join(folder, "page.html");
    writeFileSync(page, pageFor(figures));
    const html = await renderedPage(browser, pathToFileURL(page), path.join(folder, "profile"));
    const answer = /<pre id="drawn">([^<]*)<\/pre>/.exec(html)?.[1];
    if (answer === undefined) throw new UserError(`${browser} did not finish drawing the figures.`, 1);
    return JSON.parse(decodeURIComponent(answer)) as DrawResult[];
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function pageFor(figures: Figure[]): string {
  const plotly = pathToFileURL(createRequire(import.meta.url).resolve("plotly.js-dist-min/plotly.min.js")).href;
  const work = figures.map(({ data = [], layout = {} }) => ({ data, layout, ...sizeOf({ layout }) }));
  const json = JSON.stringify(work).replaceAll("<", "\\u003c");
  return `<!doctype html><meta charset="utf-8"><body><script src="${plotly}"></script><script>
const one = async ({ data, layout, width, height }) => {
  try {
    const url = await Plotly.toImage({ data, layout }, { format: "png", width, height, scale: ${scale} });
    return { png: url.slice(url.indexOf(",") + 1) };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
};
Promise.all(${json}.map(one)).then((drawn) => {
  const answer = document.createElement("pre");
  answer.id = "drawn";
  answer.textContent = encodeURIComponent(JSON.stringify(drawn));
  document.body.append(answer);
});
</script>`;
}

function sizeOf({ layout = {} }: Figure): { width: number; height: number } {
  const positiveOr = (value: unknown, fallback: number) => (typeof value === "number" && value > 0 ? value : fallback);
  return { width: positiveOr(layout.width, defaultSize.width), height: positiveOr(layout.height, defaultSize.height) };
}
