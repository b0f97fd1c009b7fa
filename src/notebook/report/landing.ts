import { formatBytes } from "../../base/bytes.ts";
import { contentPolicy } from "../../display/content-policy.ts";
import { escapeHtml } from "../../display/html.ts";
import type { NotebookOutput } from "../nbformat.ts";
import type { RunRecord, RunStatus } from "../record.ts";
import { loadHighlight } from "./code.ts";
import { Figures } from "./figure.ts";
import { imageSource } from "./images.ts";
import { Markdown } from "./markdown.ts";
import { renderOutput } from "./output.ts";
import { behaviourOf, document, FRAME_SCRIPT, type SharePlotly } from "./page.ts";
import { elapsed, seconds } from "./run-summary.ts";

export interface LandingEntry {
  title: string;
  /** The file name of the notebook's page, in the same folder. */
  page: string;
  /** The file name of the executed notebook, in the same folder. */
  notebook: string;
  record: Partial<RunRecord>;
  /** The output that represents the notebook, usually a figure. */
  headline?: NotebookOutput;
}

const STATUS_TEXT: Record<RunStatus, string> = {
  ok: "done",
  error: "failed",
  interrupted: "interrupted",
  running: "unfinished",
};

/** The page that lists a folder's notebooks, each with its headline figure. */
export async function renderLanding(entries: LandingEntry[], sharePlotly?: SharePlotly): Promise<string> {
  const highlight = await loadHighlight();
  const figures = new Figures({ captions: true });
  const scripts = new Set<string>();
  const context = {
    figures,
    highlight,
    markdown: new Markdown(highlight),
    images: imageSource("."),
    frameScript: FRAME_SCRIPT,
    allowScript: (text: string) => scripts.add(text),
  };
  const cards = entries.map(({ title, page, notebook, record, headline }) => {
    const duration = elapsed(record);
    const status = record.status ?? "running";
    const facts = [
      `<span class="state ${status}">${STATUS_TEXT[status]}</span>`,
      duration === undefined ? "" : seconds(duration) || "less than 0.1 s",
      record.nativePeak === undefined ? "" : `native memory, peak ${formatBytes(record.nativePeak)}`,
      `<a href="${address(notebook)}">${escapeHtml(notebook)}</a>`,
    ].filter((fact) => fact !== "");
    return (
      `<li class="card"><h2><a href="${address(page)}">${escapeHtml(title)}</a></h2><p class="note">${facts.join(" · ")}</p>` +
      `${headline ? renderOutput(headline, context) : ""}</li>`
    );
  });
  const behaviour = behaviourOf(figures, sharePlotly);
  for (const text of behaviour.inline) scripts.add(text);
  const first = entries[0]?.record;
  const details = [first?.version && `with halftone ${first.version}`, first?.cpu && `on ${first.cpu.model}`];
  const runNote = first?.start
    ? `${[`Run on ${first.start.slice(0, 10)}`, ...details].filter(Boolean).join(" ")}.`
    : "";
  return document({
    title: "Notebooks",
    policy: contentPolicy([...scripts], { needsEval: figures.needsEval, nonce: behaviour.nonce }),
    body:
      `<main id="main" class="landing"><h1>Notebooks</h1><p class="note">${escapeHtml(runNote)}</p>` +
      `<ul class="cards">${cards.join("")}</ul></main>${behaviour.html}`,
  });
}

function address(file: string): string {
  return escapeHtml(encodeURIComponent(file));
}
