import { AnsiUp } from "ansi_up";
import { escapeHtml } from "../../display/html.ts";
import type { NotebookOutput } from "../nbformat.ts";
import type { Highlight } from "./code.ts";
import { type Figures, PLOTLY } from "./figure.ts";
import { cleanHtml, needsFrame, scriptsIn } from "./html.ts";
import { type ImageSource, imageData } from "./images.ts";
import type { Markdown } from "./markdown.ts";
import { renderMath } from "./math.ts";
import { WIDGET_VIEW, type WidgetViews } from "./widgets.ts";

/** Shared by all outputs of a page. */
export interface OutputContext {
  figures: Figures;
  /** Without them widgets are shown as text. */
  widgets?: WidgetViews;
  highlight: Highlight;
  markdown: Markdown;
  images: ImageSource;
  /** The script that runs inside every frame and reports the content's height to the page. */
  frameScript: string;
  /** Collects the inline scripts that the page's policy must allow. */
  allowScript: (text: string) => void;
}

type Bundle = Record<string, unknown>;

export function renderOutput(output: NotebookOutput, context: OutputContext): string {
  if (output.output_type === "stream") {
    return `<div class="output stream ${output.name}">${terminal(output.text)}</div>`;
  }
  if (output.output_type === "error") {
    const traceback = output.traceback.join("\n") || `${output.ename}: ${output.evalue}`;
    return `<div class="output error" role="group" aria-label="Error: ${escapeHtml(output.ename)}">${terminal(traceback)}</div>`;
  }
  const html = renderBundle(output.data as Bundle, output.metadata, context);
  return html === "" ? "" : `<div class="output">${html}</div>`;
}

/** Renders the richest type that the page can show, in JupyterLab's order of preference. */
function renderBundle(data: Bundle, metadata: Bundle, context: OutputContext): string {
  if (data[PLOTLY] && typeof data[PLOTLY] === "object") return context.figures.render(data[PLOTLY]);
  const widget = context.widgets?.place(data[WIDGET_VIEW]);
  if (widget) return widget;
  const framed = context.widgets?.frame(data[WIDGET_VIEW]);
  if (framed) return renderHtml(framed, context);
  if (typeof data["text/html"] === "string") return renderHtml(data["text/html"], context);
  for (const type of ["image/svg+xml", "image/png", "image/jpeg", "image/webp", "image/gif"]) {
    if (typeof data[type] === "string") return renderImage(type, data[type], data, metadata);
  }
  if (typeof data["text/markdown"] === "string") {
    return `<div class="prose">${context.markdown.render(data["text/markdown"], context.images)}</div>`;
  }
  if (typeof data["text/latex"] === "string") {
    const tex = data["text/latex"].trim().replaceAll(/^\$\$?|\$\$?$|^\\\[|\\\]$/g, "");
    return `<div class="math">${renderMath(tex, true)}</div>`;
  }
  if (data["application/json"] !== undefined) {
    const json = JSON.stringify(data["application/json"], null, 2);
    return folded(json.split("\n"), (lines) => context.highlight(lines.join("\n"), "json"));
  }
  return typeof data["text/plain"] === "string" ? terminal(data["text/plain"]) : "";
}

function renderHtml(html: string, context: OutputContext): string {
  return needsFrame(html)
    ? renderFrame(html, context)
    : `<div class="html">${cleanHtml(html, { image: context.images })}</div>`;
}

/** HTML with scripts, in a frame of its own. */
export function renderFrame(
  html: string,
  { frameScript, allowScript }: Pick<OutputContext, "frameScript" | "allowScript">,
): string {
  const page =
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Output</title>` +
    `<style>body{margin:0;font:15px/1.5 system-ui,sans-serif;overflow-x:auto}</style>${html}<script>${frameScript}</script></html>`;
  for (const script of scriptsIn(page)) allowScript(script);
  return `<iframe class="frame" title="Output" sandbox="allow-scripts" srcdoc="${escapeHtml(page)}"></iframe>`;
}

function renderImage(type: string, data: string, all: Bundle, metadata: Bundle): string {
  const own = (metadata[type] ?? metadata) as { width?: unknown; height?: unknown; alt?: unknown };
  const plain = all["text/plain"];
  const alt =
    typeof own.alt === "string" ? own.alt : typeof plain === "string" ? plain : "Image made by the cell above";
  const size = (["width", "height"] as const).map((side) =>
    Number(own[side]) > 0 ? ` ${side}="${Number(own[side])}"` : "",
  );
  return `<img class="image" src="${imageData(type, data)}" alt="${escapeHtml(alt)}"${size.join("")}>`;
}

/** Renders text with ANSI colours as escaped HTML. */
function terminal(text: string): string {
  const ansi = new AnsiUp();
  ansi.use_classes = true;
  ansi.url_allowlist = { http: 1, https: 1 };
  return folded(text.replace(/\n$/, "").split("\n"), (lines) => {
    return `<pre>${legible(ansi.ansi_to_html(`${lines.join("\n")}\n`))}</pre>`;
  });
}

/** Moves RGB colours into a CSS variable, so that the style sheet can adjust them to the page's background. */
function legible(html: string): string {
  return html.replaceAll(/ style="color:(rgb\([\d,]+\))"/g, ' class="ansi-given" style="--given:$1"');
}

/** The lines of a long output that are always visible. */
const VISIBLE_LINES = 24;

/** Folds a long output after its first lines. */
function folded(lines: string[], render: (lines: string[]) => string): string {
  if (lines.length <= VISIBLE_LINES * 1.5) return render(lines);
  const rest = lines.length - VISIBLE_LINES;
  return `${render(lines.slice(0, VISIBLE_LINES))}<details><summary>${rest} more lines</summary>${render(lines.slice(VISIBLE_LINES))}</details>`;
}
