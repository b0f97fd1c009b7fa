import type { MimeBundle } from "./output.ts";

export interface CompletionItem {
  text: string;
  /** The icon that front ends show: "function", "class", "property", "variable", "keyword", "module", "magic". */
  kind: string;
  /** Such as `(x: number, y: number)`. */
  signature?: string;
  /** Markdown. */
  documentation?: string;
  /** The line that imports it, where the cell has not done so. */
  import?: string;
}

/** Completions that replace the code from `start` to `end` (UTF-16 offsets). */
export interface Completions {
  start: number;
  end: number;
  items: CompletionItem[];
}

/**
 * A source of information on names: the live values, the type checker. A session asks its introspectors in order
 * and takes the first answer; undefined passes the question on.
 */
export interface Introspector {
  complete(code: string, cursor: number): Promise<Completions | undefined>;
  /** `detail` 1 asks for more, such as a function's source. */
  inspect(code: string, cursor: number, detail: 0 | 1): Promise<MimeBundle | undefined>;
}
