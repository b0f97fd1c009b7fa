import { parseSync } from "oxc-parser";
import { type Diagnostic, diagnosticAt } from "./diagnostic.ts";
import { nestedTooDeeply } from "./nesting.ts";
import type { Node } from "./tree.ts";

/** A parsed cell. `text` is the source with its option lines blanked, so offsets are the same in both. */
export interface ParsedCell {
  text: string;
  language: "ts" | "tsx";
  body: Node[];
  comments: { type: "Line" | "Block"; value: string; start: number; end: number }[];
  diagnostics: Diagnostic[];
}

/** Errors in a module that are allowed in a cell, because a cell may refer to names of earlier cells. */
const tolerated = /^(Undefined export|Export '.*' is not defined)/;

/** The most errors that are kept. Fewer are shown. */
const mostErrors = 20;

let latest: { source: string; parsed: ParsedCell } | undefined;

/**
 * Parses a cell as a TypeScript module, or as TSX when only that parses. The last tree is cached and must not be changed,
 * because the checker and the compiler parse the same text one after the other.
 */
export function parseCell(source: string): ParsedCell {
  if (latest?.source !== source) latest = { source, parsed: read(source) };
  return latest.parsed;
}

/** Parses a TypeScript module that is not nested too deeply. */
export function parseText(text: string, language: "ts" | "tsx" = "ts"): ReturnType<typeof parseSync> | undefined {
  return nestedTooDeeply(text) ? undefined : parseSync(`cell.${language}`, text, { sourceType: "module" });
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
      // The parser also labels the opening bracket or the first declaration. The error itself is at the last label.
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

/** Replaces `#| label: x` (Quarto's form) with spaces, because it is not JavaScript. `//| label: x` is already a comment. */
function blankOptionLines(source: string): string {
  if (!source.includes("#|")) return source;
  return source.replace(/^(?:[ \t]*(?:\/\/|#)\|[^\n]*(?:\n|$))+/, (block) =>
    block.replace(/^[ \t]*#\|[^\n]*/gm, (line) => " ".repeat(line.length)),
  );
}
