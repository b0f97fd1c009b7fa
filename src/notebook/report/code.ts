import { createHighlighterCore, type HighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import { escapeHtml } from "../../display/html.ts";

/** Highlights code for light and dark pages at once, with CSS `light-dark()`. */

const LANGUAGES: Record<string, string> = {
  ts: "tsx",
  tsx: "tsx",
  typescript: "tsx",
  js: "tsx",
  jsx: "tsx",
  javascript: "tsx",
  json: "json",
  py: "python",
  python: "python",
  sh: "shellscript",
  bash: "shellscript",
  shell: "shellscript",
  html: "html",
  css: "css",
};

let highlighter: Promise<HighlighterCore> | undefined;

export type Highlight = (code: string, language: string) => string;

/** Loads the grammars once; then highlighting is synchronous. */
export async function loadHighlight(): Promise<Highlight> {
  highlighter ??= createHighlighterCore({
    engine: createJavaScriptRegexEngine(),
    themes: [
      import("shiki/themes/github-light-high-contrast.mjs"),
      import("shiki/themes/github-dark-high-contrast.mjs"),
    ],
    langs: [
      import("shiki/langs/tsx.mjs"),
      import("shiki/langs/json.mjs"),
      import("shiki/langs/python.mjs"),
      import("shiki/langs/shellscript.mjs"),
      import("shiki/langs/html.mjs"),
      import("shiki/langs/css.mjs"),
    ],
  });
  const ready = await highlighter;
  return (code, language) => {
    const lang = LANGUAGES[language.toLowerCase()];
    if (!lang) return `<pre class="code"><code>${escapeHtml(code)}</code></pre>`;
    return ready.codeToHtml(code, {
      lang,
      tabindex: false,
      // By default a line that takes longer than 500 ms, as the first may on a busy machine, ends as if its last token went on.
      tokenizeTimeLimit: 0,
      themes: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
      defaultColor: "light-dark()",
      transformers: [
        {
          pre(node) {
            node.properties.class = "code";
            delete node.properties.style;
          },
        },
      ],
    });
  };
}
