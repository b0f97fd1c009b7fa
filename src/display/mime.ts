import { inspect } from "node:util";
import { shorten } from "./shorten.ts";

/** Media type to value: text as a string, JSON types as JSON, binary types as base64. */
export type MimeBundle = Record<string, unknown>;

/** The method by which a value shows itself (Deno's convention, which notebooks and the kernel look for). */
export const displaySymbol: unique symbol = Symbol.for("Jupyter.display") as never;

/** A value that says how it wants to be shown. */
export interface Displayable {
  [displaySymbol](): MimeBundle | Promise<MimeBundle>;
}

export function isDisplayable(value: unknown): value is Displayable {
  return typeof value === "object" && value !== null && typeof (value as Displayable)[displaySymbol] === "function";
}

/** How a value is shown: as it says itself, a bundle as it is, anything else as text. */
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
