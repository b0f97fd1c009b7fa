import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../base/user-error.ts";
import { jsonInScript } from "../display/content-policy.ts";
import { findBrowser, renderedPage } from "./browser.ts";
import { plotlyAddress } from "./plotly.ts";

/** In CSS pixels, for a figure whose layout has no size: plotly's default height, and the width of a page's column. */
const defaultSize = { width: 760, height: 450 };

/** A plotly figure as JSON. */
export interface DrawnFigure {
  data?: unknown;
  layout?: { width?: unknown; height?: unknown };
}

interface DrawOptions {
  format: "png" | "svg";
  /** Image pixels per CSS pixel. */
  scale: number;
  /** Ends the browser. */
  signal?: AbortSignal;
}

/** An SVG's text, or a PNG in base64. */
export type Drawn = { content: string } | { error: string };

/**
 * Draws figures with plotly in a browser of this machine.
 *
 * @throws UserError where there is no browser, or it fails
 */
export async function drawImages(figures: DrawnFigure[], { signal, ...options }: DrawOptions): Promise<Drawn[]> {
  const browser = findBrowser();
  if (!browser)
    throw new UserError(
      "No browser was found to draw the figures: install Chromium or Chrome, or set HALFTONE_BROWSER to a browser's path.",
      1,
    );
  const folder = mkdtempSync(path.join(tmpdir(), "halftone-figures-"));
  try {
    const page = path.join(folder, "page.html");
    writeFileSync(page, pageFor(figures, options));
    const profile = path.join(folder, "profile");
    const html = await renderedPage(browser, pathToFileURL(page), { profile, ...(signal ? { signal } : {}) });
    const answer = /<pre id="drawn">([^<]*)<\/pre>/.exec(html)?.[1];
    if (answer === undefined) throw new UserError(`${browser} did not finish drawing the figures.`, 1);
    return JSON.parse(decodeURIComponent(answer)) as Drawn[];
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The size of a figure's image in CSS pixels. */
export function imageSize({ layout = {} }: DrawnFigure): { width: number; height: number } {
  const positiveOr = (value: unknown, fallback: number) => (typeof value === "number" && value > 0 ? value : fallback);
  return { width: positiveOr(layout.width, defaultSize.width), height: positiveOr(layout.height, defaultSize.height) };
}

/** A page that draws the figures and then holds the images as text. */
function pageFor(figures: DrawnFigure[], { format, scale }: Omit<DrawOptions, "signal">): string {
  const work = figures.map(({ data = [], layout = {} }) => ({ data, layout, ...imageSize({ layout }) }));
  return `<!doctype html><meta charset="utf-8"><body><script src="${plotlyAddress("full")}"></script><script>
const scale = ${scale};
const one = async ({ data, layout, width, height }) => {
  try {
    const url = await Plotly.toImage({ data, layout }, { format: "${format}", width, height, scale });
    const content = url.slice(url.indexOf(",") + 1);
    if (content === "") throw \`an image of \${width * scale} by \${height * scale} pixels is too large for the browser\`;
    return { content: ${format === "svg" ? "decodeURIComponent(content)" : "content"} };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
};
Promise.all(${jsonInScript(work)}.map(one)).then((drawn) => {
  const answer = document.createElement("pre");
  answer.id = "drawn";
  answer.textContent = encodeURIComponent(JSON.stringify(drawn));
  document.body.append(answer);
});
</script>`;
}
