/** Whether a cell is complete, judged by the parser's first error. */
import { isLong, offThread } from "../compile/off-thread.ts";
import { parseText } from "../compile/parse.ts";
import { readRequest } from "../magics/rewrite.ts";

export type Completeness = { status: "complete" | "invalid" } | { status: "incomplete"; indent: string };

const INDENT = "  ";

/** The same for a cell of any length, without blocking other requests for long. */
export async function completenessOf(code: string): Promise<Completeness> {
  return isLong(code) ? offThread(import.meta.url, "completeness", code) : completeness(code);
}

export function completeness(code: string): Completeness {
  if (readRequest(code)) return { status: "complete" };
  if (/^\s*%%\w/.test(code)) {
    const ended = code.slice(code.trimEnd().length).includes("\n");
    return ended ? { status: "complete" } : { status: "incomplete", indent: "" };
  }
  const source = code.replace(/^[ \t]*(?:#\||[%!]).*$/gm, (line) => " ".repeat(line.length)).trimEnd();
  const parsed = parseText(source);
  if (!parsed) return { status: "invalid" };
  const [error] = parsed.errors;
  if (!error) return { status: "complete" };
  const start = error.labels[0]?.start ?? 0;
  const end = Math.max(...error.labels.map((label) => label.end), 0);
  const openText = /^Unterminated (multiline comment|template)/.test(error.message);
  const openTemplate = /^Unterminated string/.test(error.message) && source[start] === "`";
  const atEnd = start >= source.length || /EOF|Missing catch/.test(error.message);
  const cutShort =
    end >= source.length && /^(Identifier expected|Missing initializer in destructuring)/.test(error.message);
  if (openText || openTemplate) return { status: "incomplete", indent: "" };
  if (atEnd || cutShort) return { status: "incomplete", indent: nextIndent(source) };
  return { status: "invalid" };
}

/** One step deeper than the last line when that line opens something. */
function nextIndent(source: string): string {
  const lastLine = source
    .slice(source.lastIndexOf("\n") + 1)
    .replace(/\/\/.*$/, "")
    .trimEnd();
  const indentation = /^\s*/.exec(lastLine)?.[0] ?? "";
  return /(?:[{([]|=>|\b(?:else|do|try))$/.test(lastLine) ? indentation + INDENT : indentation;
}
