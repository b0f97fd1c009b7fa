import createMarkdown from "markdown-it";
import { escapeHtml } from "../../display/html.ts";
import type { Highlight } from "./code.ts";
import { cleanHtml } from "./html.ts";
import type { ImageSource } from "./images.ts";
import { mathInMarkdown } from "./math.ts";

export interface Heading {
  level: number;
  text: string;
  id: string;
}

/** Renders markdown like Jupyter, and collects the headings for a table of contents. */
export class Markdown {
  readonly headings: Heading[] = [];
  readonly #markdown = createMarkdown({ html: true, linkify: false });
  readonly #usedIds = new Set<string>();

  constructor(highlight: Highlight) {
    mathInMarkdown(this.#markdown);
    this.#markdown.renderer.rules.fence = (tokens, at) => {
      const { content, info } = tokens[at]!;
      return highlight(content.replace(/\n$/, ""), info.trim().split(/\s/)[0] ?? "");
    };
    this.#markdown.renderer.rules.heading_open = (tokens, at) => {
      const { tag } = tokens[at]!;
      const text = plainText(tokens[at + 1]?.children ?? []);
      const heading = { level: Number(tag.slice(1)), text, id: this.#freeId(text) };
      this.headings.push(heading);
      return `<${tag} id="${escapeHtml(heading.id)}">`;
    };
  }

  render(source: string, images: ImageSource): string {
    return cleanHtml(this.#markdown.render(source), { image: images });
  }

  /** An anchor as in JupyterLab: the text with dashes for spaces. */
  #freeId(text: string): string {
    const base = text.trim().replaceAll(/\s+/g, "-") || "section";
    let id = base;
    for (let n = 2; this.#usedIds.has(id); n++) id = `${base}-${n}`;
    this.#usedIds.add(id);
    return id;
  }
}

function plainText(tokens: { content: string; type: string }[]): string {
  return tokens
    .filter(({ type }) => ["text", "code_inline", "math", "text_special"].includes(type))
    .map(({ content }) => content)
    .join("");
}
