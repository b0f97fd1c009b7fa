import { inspect, types } from "node:util";
import { shorten } from "../../../src/display/shorten.ts";
import type { MimeBundle } from "../../protocol/output.ts";
import { apply, isIn } from "../primordials.ts";
import { dataFrame } from "./frame.ts";
import { canvas, element, image, vega } from "./media.ts";
import { encodeBundle } from "./mime-bundle.ts";

/** The key of a value's display method, by Deno's convention. */
const displaySymbol = Symbol.for("Jupyter.display");

/** Renders one kind of value, and returns undefined for any other. */
export type Renderer = (value: object) => MimeBundle | undefined;

const renderers: readonly Renderer[] = [dataFrame, image, element, canvas, vega];

/** Renders a value as a cell's output, later when it has a display method. Errors of the method are thrown. */
export function render(value: unknown): MimeBundle | Promise<MimeBundle> {
  const display = displayMethodOf(value);
  return display ? renderBy(display, value) : withoutMethod(value);
}

async function renderBy(display: () => unknown, value: unknown): Promise<MimeBundle> {
  return encodeBundle(await apply(display, value, []));
}

/** Renders a value at once. One whose display method returns a promise is shown as text. */
export function renderNow(value: unknown): MimeBundle {
  const bundle = apply(displayMethodOf(value) ?? (() => undefined), value, []);
  return bundle === undefined || types.isPromise(bundle) ? withoutMethod(value) : encodeBundle(bundle);
}

function displayMethodOf(value: unknown): (() => unknown) | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const method = isIn(displaySymbol, value) ? (value as Record<symbol, unknown>)[displaySymbol] : undefined;
  return typeof method === "function" ? (method as () => unknown) : undefined;
}

function withoutMethod(value: unknown): MimeBundle {
  if ((typeof value === "object" || typeof value === "function") && value !== null) {
    for (let index = 0; index < renderers.length; index++) {
      const bundle = renderers[index]!(value);
      if (bundle) return bundle;
    }
  }
  return { "text/plain": showText(value) };
}

/** Formats a value as Node's REPL does, without colours. A long text is truncated. */
export function showText(value: unknown): string {
  return shorten(inspect(value, { breakLength: 100 }));
}
