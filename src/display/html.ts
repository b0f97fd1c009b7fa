import { type Displayable, displaySymbol } from "./mime.ts";

/** HTML that shows itself. */
export interface Html extends Displayable {
  html: string;
}

/**
 * HTML from a template, in which values are escaped and other HTML is not; or, called with a string, that string as it
 * is: `` html`<b>${name}</b>` `` or `html("<b>as it is</b>")`.
 */
export function html(parts: TemplateStringsArray | string, ...values: unknown[]): Html {
  const text = typeof parts === "string" ? parts : parts.reduce((out, part, i) => out + inserted(values[i - 1]) + part);
  return {
    html: text,
    [displaySymbol]: () => ({ "text/html": text, "text/plain": plain(text) }),
  };
}

/** Markdown that shows itself. */
export function markdown(text: string): Displayable {
  return { [displaySymbol]: () => ({ "text/markdown": text, "text/plain": text }) };
}

/** Text with `& < > " '` made harmless in HTML. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function inserted(value: unknown): string {
  if (Array.isArray(value)) return value.map(inserted).join("");
  if (typeof value === "object" && value !== null && "html" in value) return String(value.html);
  return value === undefined || value === null || value === false ? "" : escapeHtml(String(value));
}

function plain(text: string): string {
  return text
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
