/**
 * Magic lines to calls of the host's `__halftone_magics`, line for line, so that every other line keeps its place. A line is a magic only
 * where a statement may start: never inside a template literal, and `%` never where the cell parses as it is.
 */
import { parseSync } from "oxc-parser";
import { isMagic } from "./names.ts";

export const MAGICS = "__halftone_magics";

const candidate = /^[ \t]*(?:!(?!=).*|%%?[A-Za-z].*)$/;
const line = /^[ \t]*(%%?)([A-Za-z]\w*)[ \t]*(.*?)[ \t]*$/;
/** Option lines and comments may stand before a cell magic. */
const cellMagic = /^((?:[ \t]*(?:(?:\/\/|#\|).*)?\r?\n)*)[ \t]*%%([A-Za-z]\w*)[ \t]*(.*?)[ \t]*(?:\r?\n|$)/;

/** TypeScript for the compiler; a cell without magics comes back as it is. */
export function rewriteMagics(source: string): string {
  if (!/^[ \t]*[%!]/m.test(source)) return source;
  const opening = cellMagic.exec(source);
  if (opening) return rewriteCell(opening, source);
  const lines = source.split("\n");
  const candidates = lines.flatMap((text, index) => (candidate.test(text) ? [index] : []));
  if (candidates.length === 0) return source;
  const shellOnly = parses(source);
  const wanted = candidates.filter((index) => !shellOnly || lines[index]!.trimStart().startsWith("!"));
  for (const index of startingStatements(lines, wanted)) lines[index] = rewriteLine(lines[index]!);
  return lines.join("\n");
}

/** Whether the whole cell asks for a fresh start, which only the session can give. */
export function isReset(source: string): boolean {
  return source.replace(/^[ \t]*(?:\/\/|#\|).*$/gm, "").trim() === "%reset";
}

function rewriteCell([head, before = "", name = "", argument = ""]: RegExpExecArray, source: string): string {
  const body = source.slice(head!.length);
  const kept = before.replace(/^([ \t]*)#\|/gm, "$1//");
  if (name === "time") return `${kept}${MAGICS}.timeCell();\n${rewriteMagics(body)}`;
  return `${kept}${call(isMagic(`%%${name}`) ? "cell" : "unknown", `%%${name}`, argument, body)}`;
}

function rewriteLine(text: string): string {
  const shell = /^\s*!(.*)$/.exec(text);
  if (shell) return call("line", "!", shell[1]!.trim());
  const [, , name = "", argument = ""] = line.exec(text)!;
  if (name === "time" && argument) return timed(argument);
  if (name === "timeit" && argument) return repeated(argument);
  if (name === "reset") return call("unknown", "%reset", "must be the only line of its cell");
  return call(isMagic(`%${name}`) ? "line" : "unknown", `%${name}`, argument);
}

/** An expression keeps its value; a statement keeps what it declares. */
function timed(code: string): string {
  if (parses(`(${code}\n)`)) return `await ${MAGICS}.time(async () => (${code}\n))`.replace("\n", " ");
  return `${MAGICS}.tic(); ${code}; ${MAGICS}.toc();`;
}

function repeated(code: string): string {
  const body = parses(`(${code}\n)`) ? `(${code})` : `{ ${code} }`;
  return `await ${MAGICS}.timeit(${/\bawait\b/.test(code) ? "async " : ""}() => ${body});`;
}

function call(method: string, ...values: string[]): string {
  return `await ${MAGICS}.${method}(${values.map((value) => JSON.stringify(value)).join(", ")});`;
}

/**
 * Those of the lines at which a statement starts, found by putting a name there and asking the parser. A line inside a template literal
 * may keep the whole from parsing: then the cell is tried without each. One that is broken elsewhere is told by its lines alone.
 */
function startingStatements(lines: readonly string[], candidates: readonly number[]): number[] {
  for (const left of [undefined, ...candidates]) {
    const chosen = candidates.filter((index) => index !== left);
    const marked = lines.map((text, index) => (chosen.includes(index) ? placeholder(index) : text)).join("\n");
    const { program, errors } = parseSync("cell.ts", marked, { sourceType: "module" });
    if (errors.length > 0) continue;
    const statements = new Set(program.body.map((node) => marked.slice(node.start, node.end)));
    return chosen.filter((index) => statements.has(placeholder(index)));
  }
  return [...candidates];
}

function placeholder(index: number): string {
  return `__halftone_line_${index};`;
}

function parses(code: string): boolean {
  return parseSync("cell.ts", code, { sourceType: "module" }).errors.length === 0;
}
