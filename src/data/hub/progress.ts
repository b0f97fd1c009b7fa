import { formatBytes } from "../../base/bytes.ts";
import { type DisplayHandle, display, html, inNotebook } from "../../display/index.ts";

/** How far a download is. */
export interface HubProgress {
  /** The file that is being downloaded. */
  file: string;
  /** Bytes of all files that are there, and that are wanted. */
  bytes: number;
  total: number;
}

/** Milliseconds between two updates. */
const EVERY = 250;

/** Shows how far the download of a model is: a bar in a notebook, one line that is rewritten on a terminal, nothing in a file. */
export function shownProgress(name: string): (progress: HubProgress) => void {
  const show = inNotebook() ? bar() : process.stdout.isTTY ? rewrittenLine : undefined;
  let shown = Number.NEGATIVE_INFINITY;
  let isDone = false;
  return ({ bytes, total }) => {
    if (!show || isDone) return;
    isDone = bytes === total;
    if (!isDone && performance.now() - shown < EVERY) return;
    shown = performance.now();
    show(
      `${isDone ? "Downloaded" : "Downloading"} ${name}: ${formatBytes(bytes)} of ${formatBytes(total)}`,
      bytes / total,
    );
  };
}

function bar(): (text: string, share: number) => void {
  let handle: DisplayHandle | undefined;
  return (text, share) => {
    const style = "width:20em;vertical-align:middle";
    const shown = html`<div><progress value="${share}" max="1" style="${style}"></progress> ${text}</div>`;
    if (handle) handle.update(shown);
    else handle = display(shown);
  };
}

function rewrittenLine(text: string, share: number): void {
  process.stdout.write(`\r\x1b[K${text.slice(0, process.stdout.columns - 1)}${share === 1 ? "\n" : ""}`);
}
