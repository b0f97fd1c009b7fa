import { parseSync } from "oxc-parser";
import { type Diagnostic, diagnosticAt } from "./diagnostic.ts";
import { nestedTooDeeply } from "./nesting.ts";
import type { Node } from "./tree.ts";

/** A cell as the parser read it. `text` is the source with option lines blanked; offsets are those of the source. */
export interface ParsedCell {
  text: string;
  language: "ts" | "tsx";
  body: Node[];
  comments: { type: "Line" | "Block"; value: string; start: number; end: number }[];
  diagnostics: Diagnostic[];
}

/** What a module may not do but a cell may: name what an earlier cell declared. */
const tolerated = /^(Undefined export|Export '.*' is not defined)/;

/** More errors than are shown. */
const mostErrors = 20;

let latest: { source: string; parsed: ParsedCell } | undefined;

/**
 * Parses a cell as a TypeScript module, or as TSX when only that parses. The checker and the compiler parse the same text one after
 * another: the tree is kept, and must not be changed.
 */
export function parseCell(source: string): ParsedCell {
  if (latest?.source !== source) latest = { source, parsed: read(source) };
  return latest.parsed;
}

/** Parses a TypeScript module that is not nested too deeply. */
export function parseText(text: string): ReturnType<typeof parseSync> | undefined {
  return nestedTooDeeply(text) ? undefined : parseSync("cell.ts", text, { sourceType: "module" });
}

function read(source: string): ParsedCell {
  const text = blankOptionLines(source);
  const refusal = nestedTooDeeply(text);
  if (refusal) {
    const diagnostics = [diagnosticAt(text, refusal.offset, refusal.message)];
    return { text, language: "ts", body: [], comments: [], diagnostics };
  }
  const ts = parseAs(text, "ts");
  if (ts.diagnostics.length === 0 || !text.includes("<")) return ts;
  const tsx = parseAs(text, "tsx");
  if (tsx.diagnostics.length === 0 || /<\/|\/>/.test(text)) return tsx;
  return ts;
}

function parseAs(text: string, language: "ts" | "tsx"): ParsedCell {
  const parsed = parseSync(`cell.${language}`, text, {
    lang: language,
    sourceType: "module",
    showSemanticErrors: true,
  });
  const diagnostics = parsed.errors
    .filter((error) => error.severity === "Error" && !tolerated.test(error.message))
    .slice(0, mostErrors)
    .map((error) => {
      // The parser also points at what opened or was declared first: the error shows itself at the last place.
      const place = Math.max(0, ...error.labels.map(({ start }) => start));
      return diagnosticAt(text, place, error.helpMessage ? `${error.message} (${error.helpMessage})` : error.message);
    });
  return {
    text,
    language,
    body: parsed.program.body as unknown as Node[],
    comments: parsed.comments,
    diagnostics,
  };
}

/** `#| label: x` (Quarto's own form) is no JavaScript: it becomes spaces. `//| label: x` is a comment already. */
function blankOptionLines(source: string): string {
  if (!source.includes("#|")) return source;
  return source.replace(/^(?:[ \t]*(?:\/\/|#)\|[^\n]*(?:\n|$))+/, (block) =>
    block.replace(/^[ \t]*#\|[^\n]*/gm, (line) => " ".repeat(line.length)),
  );
}
