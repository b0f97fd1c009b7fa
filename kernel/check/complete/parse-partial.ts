import { parseCell } from "../../compile/parse.ts";
import type { Node } from "../../compile/tree.ts";
import { readMagics } from "../../magics/rewrite.ts";
import { analyzeCell, type CellAnalysis, guessAnalysis } from "../program/cell-analysis.ts";

export interface PartialParse {
  /** The cell with what is not TypeScript blanked. */
  text: string;
  facts: CellAnalysis;
  tsx: boolean;
}

/** A cell as far as it can be parsed while it is being typed. */
export function parsePartial(source: string): PartialParse {
  const { text, body, diagnostics, language } = parseCell(withoutMagics(source));
  const facts = (diagnostics.length === 0 ? factsOf(body) : undefined) ?? guessAnalysis(text);
  const tsx = diagnostics.length === 0 ? language === "tsx" : /<\/[\w.]*>|\/>/.test(text);
  return { text, facts, tsx };
}

function factsOf(body: Node[]): CellAnalysis | undefined {
  try {
    return analyzeCell(body);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Blanks lines that are magics, so that all other offsets stay the same. */
function withoutMagics(source: string): string {
  if (!/^[ \t]*[%!]/m.test(source) && !source.includes("?")) return source;
  const rewritten = readMagics(source).code.split("\n");
  const lines = source.split("\n");
  if (rewritten.length !== lines.length) return source.replace(/[^\r\n]/g, " ");
  return lines.map((line, index) => (line === rewritten[index] ? line : line.replace(/[^\r]/g, " "))).join("\n");
}
