import { isLong, offThread } from "../../compile/off-thread.ts";
import { parseCell } from "../../compile/parse.ts";
import { analyzeCell, type CellAnalysis } from "./cell-analysis.ts";
import { isTrivial } from "./trivial.ts";

/** The result of analyzing a cell's text without other cells. */
export interface Analysis {
  /** The text with option lines blanked. */
  text: string;
  language: "ts" | "tsx";
  facts: CellAnalysis;
  /** Whether the cell cannot have a type error. */
  trivial: boolean;
}

/** Returns undefined for text that does not parse. The compiler reports that error. */
export function analyze(source: string): Analysis | undefined {
  const { text, language, body, diagnostics } = parseCell(source);
  if (diagnostics.length > 0) return undefined;
  try {
    return { text, language, facts: analyzeCell(body), trivial: isTrivial(body) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Caches the last analyses, because each is needed when its cell is checked and again when it begins to run. */
export class Analyses {
  readonly #known = new Map<string, Analysis | undefined>();

  /** Analyzes a cell; a long one on another thread. */
  async read(source: string): Promise<Analysis | undefined> {
    if (!this.#known.has(source)) {
      const module = import.meta.url;
      this.#keep(source, isLong(source) ? await offThread(module, "analyze", source) : analyze(source));
    }
    return this.#known.get(source);
  }

  /** Like `read`, but synchronous. Returns undefined for a long cell that was not analyzed before. */
  known(source: string): Analysis | undefined {
    if (!this.#known.has(source) && !isLong(source)) this.#keep(source, analyze(source));
    return this.#known.get(source);
  }

  #keep(source: string, analysis: Analysis | undefined): void {
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < mostKept) break;
      this.#known.delete(oldest);
    }
    this.#known.set(source, analysis);
  }
}

const mostKept = 4;
