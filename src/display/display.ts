import { randomUUID } from "node:crypto";
import { type MimeBundle, mimeBundle } from "./mime.ts";

type HostDisplay = (
  data: MimeBundle,
  options?: { metadata?: Record<string, unknown>; displayId?: string; update?: boolean },
) => void;

/** Something on the page that can be replaced by something else. */
export interface DisplayHandle {
  id: string;
  /** Shows `value` in the place of what was there. */
  update(value: unknown): void;
}

/** True where displays are rich and can be updated: in a notebook's cell. */
export function inNotebook(): boolean {
  return hostDisplay() !== undefined;
}

/**
 * Shows a value now, in the middle of a cell. In a plain script its text goes to standard output, and again at each
 * update.
 */
export function display(value: unknown, { id = randomUUID() }: { id?: string } = {}): DisplayHandle {
  send(value, id, false);
  return { id, update: (next) => send(next, id, true) };
}

function send(value: unknown, displayId: string, update: boolean): void {
  const bundle = mimeBundle(value);
  if (bundle instanceof Promise) bundle.then((settled) => sendBundle(settled, displayId, update));
  else sendBundle(bundle, displayId, update);
}

function sendBundle(bundle: MimeBundle, displayId: string, update: boolean): void {
  const host = hostDisplay();
  if (host) {
    if (update && PLOTLY in bundle) host(emptySpace(bundle[PLOTLY]), { displayId, update });
    host(bundle, { displayId, update });
  } else process.stdout.write(`${bundle["text/plain"] ?? Object.keys(bundle).join(", ")}\n`);
}

const PLOTLY = "application/vnd.plotly.v1+json";

/**
 * Something of another media type and the figure's height. JupyterLab hands an update to the renderer that is there while the
 * type stays, and plotly's does nothing where it has drawn once; after this one, it makes a new renderer.
 */
function emptySpace(figure: unknown): MimeBundle {
  const { height = 360 } = (figure as { layout?: { height?: number } }).layout ?? {};
  return { "text/html": `<div style="height:${Number(height)}px"></div>`, "text/plain": "" };
}

function hostDisplay(): HostDisplay | undefined {
  return (globalThis as unknown as Record<symbol, HostDisplay | undefined>)[Symbol.for("halftone.display")];
}
