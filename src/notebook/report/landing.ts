import type { RunRecord } from "../environment.ts";
import { bytes, elapsed, seconds } from "./facts.ts";
import { escapeHtml } from "./html.ts";
import { document, policy } from "./page.ts";

export interface LandingEntry {
  title: string;
  /** The notebook's page, beside this one. */
  page: string;
  /** The executed notebook, beside this one. */
  notebook: string;
  record: Partial<RunRecord>;
}

const SAID: Record<string, string> = {
  ok: "done",
  error: "failed",
  interrupted: "interrupted",
  running: "did not end",
};

/** The page that lists a folder's notebooks. */
export function renderLanding(entries: LandingEntry[]): string {
  const rows = entries.map(({ title, page, notebook, record }) => {
    const took = elapsed(record);
    const status = record.status ?? "running";
    return (
      `<tr><th scope="row"><a href="${address(page)}">${escapeHtml(title)}</a></th>` +
      `<td><span class="state ${status}">${SAID[status]}</span></td>` +
      `<td class="number">${took === undefined ? "" : seconds(took) || "0.0 s"}</td>` +
      `<td class="number">${record.nativePeak === undefined ? "" : bytes(record.nativePeak)}</td>` +
      `<td><a href="${address(notebook)}">${escapeHtml(notebook)}</a></td></tr>`
    );
  });
  const first = entries[0]?.record;
  const ran = first?.start
    ? `Run on ${first.start.slice(0, 10)} with halftone ${first.version} on ${first.cpu?.model}.`
    : "";
  return document({
    title: "Notebooks",
    policy: policy([]),
    body:
      `<main id="main" class="landing"><h1>Notebooks</h1><p class="note">${escapeHtml(ran)}</p>` +
      `<div class="scroll"><table><thead><tr><th scope="col">Notebook</th><th scope="col">Status</th>` +
      `<th scope="col" class="number">Time</th><th scope="col" class="number">Native memory, peak</th><th scope="col">File</th></tr></thead>` +
      `<tbody>${rows.join("")}</tbody></table></div></main>`,
  });
}

function address(file: string): string {
  return escapeHtml(encodeURIComponent(file));
}
