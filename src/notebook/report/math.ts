import katex from "katex";
import type { MarkdownIt } from "markdown-it";

/** Converts TeX to MathML, which browsers draw without an additional font or style sheet. */
export function renderMath(tex: string, display: boolean): string {
  return katex.renderToString(tex, { displayMode: display, output: "mathml", throwOnError: false, strict: "ignore" });
}

/** Recognizes TeX in markdown like Jupyter: `$a$`, `$$a$$`, `\\(a\\)`, `\\[a\\]` and bare `\begin{x}...\end{x}`. */
export function mathInMarkdown(markdown: MarkdownIt): void {
  markdown.inline.ruler.before("escape", "math", (state, silent) => {
    const found = mathAt(state.src, state.pos);
    if (!found) return false;
    if (!silent) {
      const token = state.push("math", "math", 0);
      token.content = found.tex;
      token.block = found.display;
    }
    state.pos += found.length;
    return true;
  });
  // A separate block rule, so that blank lines, lists or tables inside TeX are not parsed as markdown.
  markdown.block.ruler.before(
    "fence",
    "math_block",
    (state, line, end, silent) => {
      const start = state.bMarks[line]! + state.tShift[line]!;
      if (!/^(\$\$|\\\\\[|\\begin\{)/.test(state.src.slice(start, start + 20))) return false;
      const found = mathAt(state.src.slice(0, state.eMarks[end - 1]!), start);
      if (!found) return false;
      const after = start + found.length;
      let next = line;
      while (next < end && state.eMarks[next]! < after) next++;
      if (state.src.slice(after, state.eMarks[next]!).trim() !== "") return false;
      if (silent) return true;
      const token = state.push("math", "math", 0);
      token.content = found.tex;
      token.block = true;
      token.map = [line, next + 1];
      state.line = next + 1;
      return true;
    },
    { alt: ["paragraph", "reference", "blockquote", "list"] },
  );
  markdown.renderer.rules.math = (tokens, at) => {
    const { content, block } = tokens[at]!;
    return block ? `<div class="math">${renderMath(content, true)}</div>` : renderMath(content, false);
  };
}

const FORMS: { form: RegExp; display: boolean }[] = [
  { form: /\$\$([\s\S]+?)\$\$/y, display: true },
  { form: /\\\\\[([\s\S]+?)\\\\\]/y, display: true },
  { form: /\\\\\(([\s\S]+?)\\\\\)/y, display: false },
  { form: /(\\begin\{(\w+\*?)\}[\s\S]+?\\end\{\2\})/y, display: true },
  // Single dollars: no space inside them and no digit after them, as in pandoc and Jupyter, so that prices are not parsed as TeX.
  { form: /\$(?![\s$])((?:\\[\s\S]|[^$\\])+?)(?<!\s)\$(?!\d)/y, display: false },
];

function mathAt(text: string, at: number): { tex: string; display: boolean; length: number } | undefined {
  if (text[at] !== "$" && text[at] !== "\\") return undefined;
  for (const { form, display } of FORMS) {
    form.lastIndex = at;
    const found = form.exec(text);
    if (found) return { tex: found[1]!.trim(), display, length: found[0].length };
  }
  return undefined;
}
