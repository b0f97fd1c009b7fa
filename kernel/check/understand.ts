import { parseCell } from "../compile/parse.ts";
import { type Facts, guessFacts, readFacts } from "./facts.ts";

export interface Understood {
  /** The cell with what is not TypeScript blanked. */
  text: string;
  facts: Facts;
  tsx: boolean;
}

/** A cell as far as it can be read while someone types it. */
export function understand(source: string): Understood {
  const { text, body, diagnostics, language } = parseCell(source);
  const facts = diagnostics.length === 0 ? readFacts(body) : guessFacts(text);
  const tsx = diagnostics.length === 0 ? language === "tsx" : /<\/[\w.]*>|\/>/.test(text);
  return { text, facts, tsx };
}
