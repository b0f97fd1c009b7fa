import { inspect } from "node:util";
import { shorten } from "./shorten.ts";

/** A value by media type: text as a string, JSON types as JSON, binary types as base64. */
export type MimeBundle = Record<string, unknown>;

/** The key of the method that gives a value's rich representation (`Symbol.for("Jupyter.display")`, as in Deno). */
export const displaySymbol: unique symbol = Symbol.for("Jupyter.display") as never;

/** A value with a rich representation. */
export interface Displayable {
  [displaySymbol](): MimeBundle | Promise<MimeBundle>;
}

/** Whether a value has a rich representation. */
function isDisplayable(value: unknown): value is Displayable {
  return typeof value === "object" && value !== null && typeof (value as Displayable)[displaySymbol] === "function";
}

/** The mime bundle of a value: its rich representation, the value itself where it is a bundle, else its text. */
export function mimeBundle(value: unknown): MimeBundle | Promise<MimeBundle> {
  if (isDisplayable(value)) return value[displaySymbol]();
  if (isBundle(value)) return value;
  return { "text/plain": typeof value === "string" ? value : shorten(inspect(value)) };
}

function isBundle(value: unknown): value is MimeBundle {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^(text|image|application|audio|video)\/[\w.+-]+$/.test(key));
}
