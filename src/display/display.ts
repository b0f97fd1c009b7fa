import { randomUUID } from "node:crypto";
import { displaySymbol, type MimeBundle, mimeBundle } from "./mime.ts";
import { isFrame, table } from "./table.ts";

type HostDisplay = (
  data: MimeBundle,
  options?: { metadata?: Record<string, unknown>; displayId?: string; update?: boolean },
) => void;

/** A displayed value that can be replaced. */
export interface DisplayHandle {
  id: string;
  /** Replaces the displayed value. */
  update(value: unknown): void;
}

/** Whether the code runs in a notebook, where displays are rich and can be updated. */
export function inNotebook(): boolean {
  return hostDisplay() !== undefined;
}

/**
 * Shows a value at once, in the middle of a cell (IPython's `display`); a danfojs DataFrame or Series as a table. In a script its text goes to standard output, again
 * at each update. `id` is a random UUID by default.
 */
export function display(value: unknown, { id = randomUUID() }: { id?: string } = {}): DisplayHandle {
  send(value, id, false);
  const handle: DisplayHandle = { id, update: (next) => send(next, id, true) };
  // A cell that ends with `display(...)` has shown its value.
  return Object.defineProperty(handle, displaySymbol, { value: () => ({}) });
}

function send(value: unknown, displayId: string, update: boolean): void {
  const bundle = mimeBundle(isFrame(value) ? table(value) : value);
  if (bundle instanceof Promise) bundle.then((settled) => sendBundle(settled, displayId, update));
  else sendBundle(bundle, displayId, update);
}

/** Shows a bundle in the running cell, or replaces the one with this id. */
export function sendBundle(bundle: MimeBundle, displayId: string, update: boolean): void {
  const host = hostDisplay();
  if (host) {
    if (update && PLOTLY in bundle) host(emptySpace(bundle[PLOTLY]), { displayId, update });
    host(bundle, { displayId, update });
  } else process.stdout.write(`${bundle["text/plain"] ?? Object.keys(bundle).join(", ")}\n`);
}

const PLOTLY = "application/vnd.plotly.v1+json";

/**
 * Empty space of another media type with the figure's height. JupyterLab keeps a display's renderer while the media type
 * stays the same, and plotly's renderer ignores updates. After another type JupyterLab makes a new renderer.
 */
function emptySpace(figure: unknown): MimeBundle {
  const { height = 360 } = (figure as { layout?: { height?: number } }).layout ?? {};
  return { "text/html": `<div style="height:${Number(height)}px"></div>`, "text/plain": "" };
}

function hostDisplay(): HostDisplay | undefined {
  return (globalThis as unknown as Record<symbol, HostDisplay | undefined>)[Symbol.for("halftone.display")];
}
