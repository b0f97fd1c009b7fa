import katex from "katex";
import type { MarkdownIt } from "markdown-it";

/** TeX as MathML, which browsers draw with no font or style sheet of the page's own. */
export function renderMath(tex: string, display: boolean): string {
  return katex.renderToString(tex, { displayMode: display, output: "mathml", throwOnError: false, strict: "ignore" });
}

/** TeX in markdown as Jupyter takes it: `$a$`, `$$a$$`, `\\(a\\)`, `\\[a\\]` and bare `\begin{x}...\end{x}`. */
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
  // A block of its own, so that blank lines, lists or tables inside TeX are not taken for markdown.
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
  // One dollar: no space just inside, no digit just after, as pandoc and Jupyter have it, so that prices stay prices.
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
