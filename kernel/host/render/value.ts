import { inspect } from "node:util";
import { shorten } from "../../../src/display/shorten.ts";
import type { MimeBundle } from "../../protocol/output.ts";
import { apply, isIn } from "../primordials.ts";
import { dataFrame } from "./frame.ts";
import { element, image } from "./media.ts";
import { encodeBundle } from "./mime-bundle.ts";

/** The key of a value's display method, by Deno's convention. */
const displaySymbol = Symbol.for("Jupyter.display");

/** Renders one kind of value, and returns undefined for any other. */
export type Renderer = (value: object) => MimeBundle | undefined;

const renderers: readonly Renderer[] = [dataFrame, image, element];

/** Renders a value as a cell's output. Errors of the value's display method are thrown. */
export async function render(value: unknown): Promise<MimeBundle> {
  if ((typeof value === "object" || typeof value === "function") && value !== null) {
    if (isIn(displaySymbol, value)) {
      const method = (value as Record<symbol, unknown>)[displaySymbol];
      if (typeof method === "function") return encodeBundle(await apply(method as () => unknown, value, []));
    }
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
