import { inspect } from "node:util";
import type { MimeBundle } from "../session/output.ts";

const displaySymbol = Symbol.for("Jupyter.display");

/** A value as a cell shows it. Throws what the value's own display method throws. */
export async function render(value: unknown): Promise<MimeBundle> {
  if ((typeof value === "object" || typeof value === "function") && value !== null) {
    const method = (value as Record<symbol, unknown>)[displaySymbol];
    if (typeof method === "function") {
      const bundle: unknown = await Reflect.apply(method, value, []);
      if (typeof bundle === "object" && bundle !== null) return bundle as MimeBundle;
    }
  }
  return { "text/plain": inspect(value, { breakLength: 100 }) };
}
