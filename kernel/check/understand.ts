import { parseCell } from "../compile/parse.ts";
import { rewriteMagics } from "../magics/rewrite.ts";
import { type Facts, guessFacts, readFacts } from "./facts.ts";
import { takeTypesMagic } from "./policy.ts";

export interface Understood {
  /** The cell with what is not TypeScript blanked. */
  text: string;
  facts: Facts;
  tsx: boolean;
}

/** A cell as far as it can be read while someone types it. */
export function understand(source: string): Understood {
  const { text, body, diagnostics, language } = parseCell(withoutMagics(source));
  const facts = diagnostics.length === 0 ? readFacts(body) : guessFacts(text);
  const tsx = diagnostics.length === 0 ? language === "tsx" : /<\/[\w.]*>|\/>/.test(text);
  return { text, facts, tsx };
}

/** Lines that are magics, blanked, so that every other place stays where it is. */
function withoutMagics(source: string): string {
  if (!/^[ \t]*[%!]/m.test(source)) return source;
  const rewritten = rewriteMagics(takeTypesMagic(source).code).split("\n");
  const lines = source.split("\n");
  if (rewritten.length !== lines.length) return source.replace(/[^\r\n]/g, " ");
  return lines.map((line, index) => (line === rewritten[index] ? line : line.replace(/[^\r]/g, " "))).join("\n");
}
