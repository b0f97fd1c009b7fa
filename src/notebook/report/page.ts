import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { contentPolicy, inScript } from "../../display/content-policy.ts";
import { escapeHtml } from "../../display/html.ts";
import { htmlPage } from "../../display/html-page.ts";
import { type Bundle, plotlySource } from "../../plot/plotly.ts";
import { languageOf } from "../language.ts";
import type { Cell, CodeCell, Notebook } from "../nbformat.ts";
import { hasTag } from "../parameters.ts";
import { runRecord } from "../record.ts";
import { loadHighlight } from "./code.ts";
import { Figures } from "./figure.ts";
import { imageSource } from "./images.ts";
import { type Heading, Markdown } from "./markdown.ts";
import { type OutputContext, renderFrame, renderOutput } from "./output.ts";
import { elapsed, renderRunSummary, seconds } from "./run-summary.ts";
import { WidgetViews } from "./widgets.ts";

export interface PageOptions {
  /** The page's title if the notebook has no heading. */
  name: string;
  /** The folder from which the notebook's relative image paths are resolved. */
  folder: string;
  /** The address of the landing page that lists this page. */
  home?: string;
  /** The text of the link to it (default: "All notebooks"). */
  homeText?: string;
  /** Writes the plotly bundle that the page needs to a file and returns its address; without it, the page embeds plotly. */
  sharePlotly?: SharePlotly;
}

export type SharePlotly = (bundle: Bundle) => string;

/** The notebook's title: its first heading, otherwise `name`. */
export function titleOf(notebook: Notebook, name: string): string {
  for (const { cell_type, source } of notebook.cells) {
    const found = cell_type === "markdown" && /^#\s+(.+?)\s*#*$/m.exec(source);
    if (found) return found[1]!.replaceAll(/[*_`]/g, "");
  }
  return name;
}

/** Renders one self-contained HTML page, which needs no network and works on a phone and on paper. */
export async function renderPage(
  notebook: Notebook,
  { name, folder, home, homeText = "All notebooks", sharePlotly }: PageOptions,
): Promise<string> {
  const highlight = await loadHighlight();
  const language = languageOf(notebook);
  const markdown = new Markdown(highlight);
  const figures = new Figures();
  const widgets = await WidgetViews.of(notebook);
  const scripts = new Set<string>();
  const allowScript = (text: string) => scripts.add(text);
  const title = titleOf(notebook, name);
  const body = notebook.cells.map((cell, at) => {
    const images = imageSource(folder, cell.cell_type === "code" ? undefined : cell.attachments);
    if (cell.cell_type === "markdown") {
      return `<section class="cell prose">${markdown.render(cell.source, images)}</section>`;
    }
    if (cell.cell_type === "raw" || hasTag(cell, "remove-cell")) return "";
    const context = { figures, widgets, highlight, markdown, images, frameScript: FRAME_SCRIPT, allowScript };
    return renderCode(cell, at, highlight(cell.source, language), context);
  });
  const widgetsHtml = widgets.html({
    frame: (html) => renderFrame(html, { frameScript: FRAME_SCRIPT, allowScript }),
    figure: (data) => figures.render(data),
  });
  const record = runRecord(notebook);
  const hasTitle = markdown.headings.some(({ level }) => level === 1);
  const behaviour = behaviourOf(figures, sharePlotly);
  if (widgets.script) scripts.add(widgets.script);
  for (const text of behaviour.inline) scripts.add(text);
  const headings = [...markdown.headings, ...(record ? [{ level: 2, text: "Environment", id: "environment" }] : [])];
  return document({
    title,
    policy: contentPolicy([...scripts], {
      needsEval: figures.needsEval || widgets.script !== undefined,
      nonce: behaviour.nonce,
    }),
    body:
      `<header class="top">${home ? `<a href="${escapeHtml(home)}">${escapeHtml(homeText)}</a>` : `<span>${escapeHtml(name)}</span>`}` +
      `<span class="status">${status(record)}</span></header>` +
      renderContents(headings) +
      `<main id="main">${hasTitle ? "" : `<h1>${escapeHtml(title)}</h1>`}${failure(notebook)}${withoutWidgets(widgets)}${body.join("\n")}` +
      `${record ? renderRunSummary(record) : ""}</main>${widgetsHtml}${behaviour.html}`,
  });
}

/** The scripts of a page: plotly if a figure needs it, embedded or shared, then the page's own script. */
export function behaviourOf({ bundle }: Figures, sharePlotly?: SharePlotly): Behaviour {
  const shared = bundle && sharePlotly?.(bundle);
  const own = bundle && shared === undefined ? [plotlySource(bundle)] : [];
  const inline = [...own.map(inScript), inlineScript(new URL("./browser.js", import.meta.url))];
  // Random for each page, so that a notebook's content cannot contain it.
  const nonce = shared === undefined ? undefined : randomBytes(16).toString("base64");
  const outside = shared === undefined ? "" : `<script nonce="${nonce}" src="${escapeHtml(shared)}"></script>`;
  return { inline, nonce, html: outside + inline.map((text) => `<script>${text}</script>`).join("") };
}

interface Behaviour {
  /** The texts of the scripts inside the page. */
  inline: string[];
  /** The nonce by which the page's policy allows the shared plotly. */
  nonce: string | undefined;
  html: string;
}

interface Document {
  title: string;
  policy: string;
  body: string;
  /** CSS beside that of every page. */
  style?: string;
}

/** The HTML document around a page's body; `policy` prevents it from fetching anything. */
export function document({ title, policy, body, style = "" }: Document): string {
  const skip = '<a class="skip" href="#main">Skip to the content</a>';
  return htmlPage({ title, policy, style: styleSheet() + style, body: skip + body });
}

function renderCode(cell: CodeCell, at: number, code: string, context: OutputContext): string {
  const outputs = cell.outputs.map((output) => renderOutput(output, context)).join("");
  const folded =
    hasTag(cell, "hide-input") || (cell.metadata.jupyter as { source_hidden?: unknown })?.source_hidden === true;
  const input = hasTag(cell, "remove-input") || cell.source.trim() === "" ? "" : code;
  const shown = folded && input ? `<details><summary>Code</summary>${input}</details>` : input;
  const label = hasTag(cell, "injected-parameters")
    ? "parameters of this run"
    : hasTag(cell, "parameters")
      ? "parameters"
      : "";
  const notes = [label, cellTime(cell)].filter((note) => note !== "").join(" · ");
  const count =
    cell.execution_count === null
      ? ""
      : `<span class="count" aria-label="Cell ${cell.execution_count}">${cell.execution_count}</span>`;
  return (
    `<section class="cell" id="cell-${at + 1}"><div class="input">${count}${shown}` +
    `${notes && shown ? `<span class="notes">${notes}</span>` : ""}</div>${outputs}</section>`
  );
}

function cellTime(cell: CodeCell): string {
  const times = cell.metadata.execution as Record<string, string> | undefined;
  const [from, to] = [times?.["iopub.execute_input"], times?.["shell.execute_reply"]];
  return from && to ? seconds((Date.parse(to) - Date.parse(from)) / 1000) : "";
}

function renderContents(headings: Heading[]): string {
  const listed = headings.filter(({ level }) => level === 2 || level === 3);
  if (listed.length < 2) return "";
  const items = listed.map(
    ({ level, text, id }) =>
      `<li class="level-${level}"><a href="#${escapeHtml(encodeURIComponent(id))}">${escapeHtml(text)}</a></li>`,
  );
  return `<nav class="contents" aria-label="Contents"><details><summary>Contents</summary><ul>${items.join("")}</ul></details></nav>`;
}

function status(record: ReturnType<typeof runRecord>): string {
  if (!record?.start) return "";
  const duration = elapsed(record);
  const day = `<time datetime="${escapeHtml(record.start)}">${escapeHtml(record.start.slice(0, 10))}</time>`;
  return [day, duration === undefined ? "" : seconds(duration)].filter((part) => part !== "").join(" · ");
}

function withoutWidgets({ problem }: WidgetViews): string {
  if (problem === undefined) return "";
  return `<p class="banner" role="note">Widgets are shown as text. ${escapeHtml(problem)}</p>`;
}

/** A banner for a run that did not finish, with a link to the failed cell. */
function failure(notebook: Notebook): string {
  const record = runRecord(notebook);
  if (record?.status === "interrupted")
    return `<p class="banner" role="note">This run was interrupted; the executed cells are below.</p>`;
  const at = notebook.cells.findLastIndex(
    (cell: Cell) =>
      cell.cell_type === "code" &&
      !hasTag(cell, "raises-exception") &&
      !hasTag(cell, "skip-execution") &&
      cell.outputs.some(({ output_type }) => output_type === "error"),
  );
  if (at < 0) return "";
  const error = (notebook.cells[at] as CodeCell).outputs.find(({ output_type }) => output_type === "error");
  const what = error?.output_type === "error" ? `${error.ename}: ${error.evalue}` : "";
  return `<p class="banner" role="note">A cell failed: <a href="#cell-${at + 1}">${escapeHtml(what)}</a></p>`;
}

/** Reports the height of the frame's content to the page. */
export const FRAME_SCRIPT = `{
  const sendHeight = () => parent.postMessage({ halftoneHeight: document.documentElement.offsetHeight }, "*");
  new ResizeObserver(sendHeight).observe(document.documentElement);
  addEventListener("message", ({ source }) => source === parent && sendHeight());
}`;

/** The text of a compiled module that imports nothing, for a `<script>` element. */
export function inlineScript(file: URL): string {
  return readFileSync(file, "utf8").replaceAll(/^(export \{\};|\/\/# sourceMappingURL.*)$/gm, "");
}

function styleSheet(): string {
  return readFileSync(new URL("../../../../src/notebook/report/page.css", import.meta.url), "utf8");
}
