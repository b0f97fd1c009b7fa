import { type Displayable, displaySymbol } from "./mime.ts";

/** HTML that a notebook renders. */
export interface Html extends Displayable {
  html: string;
}

/**
 * HTML from a template literal, in which values are escaped unless they are HTML: `` html`<b>${name}</b>` ``. Called with a
 * string, it takes that string unescaped: `html("<b>bold</b>")`.
 */
export function html(parts: TemplateStringsArray | string, ...values: unknown[]): Html {
  const text = typeof parts === "string" ? parts : parts.reduce((out, part, i) => out + inserted(values[i - 1]) + part);
  return {
    html: text,
    [displaySymbol]: () => ({ "text/html": text, "text/plain": plain(text) }),
  };
}

/** Markdown that a notebook renders. */
export function markdown(text: string): Displayable {
  return { [displaySymbol]: () => ({ "text/markdown": text, "text/plain": text }) };
}

/** Escapes `& < > " '` for HTML text and attribute values. */
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
