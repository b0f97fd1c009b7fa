import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../base/user-error.ts";
import { findBrowser, renderedPage } from "./browser.ts";
import type { Notebook } from "./nbformat.ts";
import { PLOTLY } from "./report/figure.ts";

/** CSS pixels, where a figure's layout does not say; plotly's own height, and the width of a page's column. */
const size = { width: 760, height: 450 };
/** Pixels of the image to one of CSS. */
const scale = 2;

interface Figure {
  data?: unknown;
  layout?: { width?: unknown; height?: unknown };
}
type Drawn = { png: string } | { error: string };

/**
 * Puts a PNG beside every plotly figure that has none, as plotly itself draws it in a browser of this machine: for whatever
 * cannot run plotly, such as nbconvert's LaTeX and PDF. Returns how many were drawn; figures alone ask for a browser.
 */
export async function addFigureImages(notebook: Notebook): Promise<number> {
  const outputs = notebook.cells
    .flatMap((cell) => (cell.cell_type === "code" ? cell.outputs : []))
    .filter((output) => output.output_type === "display_data" || output.output_type === "execute_result")
    .filter(({ data }) => data[PLOTLY] !== undefined && data["image/png"] === undefined);
  if (outputs.length === 0) return 0;
  const drawn = await draw(outputs.map(({ data }) => data[PLOTLY] as Figure));
  for (const [index, output] of outputs.entries()) {
    const image = drawn[index] ?? { error: "the browser gave no image" };
    if ("error" in image) throw new UserError(`Figure ${index + 1} could not be drawn: ${image.error}`, 1);
    output.data["image/png"] = `${image.png}\n`;
    output.metadata["image/png"] = sizeOf(output.data[PLOTLY] as Figure);
  }
  return outputs.length;
}

async function draw(figures: Figure[]): Promise<Drawn[]> {
  const browser = findBrowser();
  if (!browser)
    throw new UserError(
      "Figures are drawn by a browser, and none was found: install Chromium or Chrome, or name one in HALFTONE_BROWSER.",
      1,
    );
  const folder = mkdtempSync(path.join(tmpdir(), "halftone-figures-"));
  try {
    const page = path.join(folder, "page.html");
    writeFileSync(page, pageFor(figures));
    const html = await renderedPage(browser, pathToFileURL(page), path.join(folder, "profile"));
    const answer = /<pre id="drawn">([^<]*)<\/pre>/.exec(html)?.[1];
    if (answer === undefined) throw new UserError(`${browser} did not finish drawing the figures.`, 1);
    return JSON.parse(decodeURIComponent(answer)) as Drawn[];
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
  const given = (value: unknown, otherwise: number) => (typeof value === "number" && value > 0 ? value : otherwise);
  return { width: given(layout.width, size.width), height: given(layout.height, size.height) };
}
