/**
 * Magic lines to calls of the host's `__halftone_magics`, line for line, so that every other line keeps its place. A line is a magic only
 * where a statement may start: never inside a template literal, and `%` never where the cell parses as it is.
 */
import { parseText } from "../compile/parse.ts";
import { importsOf } from "./import-names.ts";
import { isMagic, MAGICS, ownCell } from "./names.ts";
import { emptyRequest, type PackageRequest, plainSpecifiers, readInstallLine } from "./packages.ts";

/** What a cell requests besides running its code. */
export interface ReadCell {
  /** TypeScript for the checker and the compiler, line for line. */
  code: string;
  /** The argument of `%types` in its first line. */
  types?: string;
  /** `name?`, `?name`, `name??`: help on a name, with its source where there are two marks. */
  help?: { name: string; detail: 0 | 1 };
  /** The packages that it imports by `npm:` and `jsr:`, or names after `%install`. */
  install?: PackageRequest;
  /** The whole cell is a magic that only the session can do, such as `%reset`. */
  session?: { name: string; argument: string };
}

/** Lines that start nothing: blank ones, comments, option lines. */
const quiet = /^\s*(?:$|\/\/|#\|)/;
const helpRequest = /^(?:(\?\??)[ \t]*([^\s?]+)|([^\s?]+)[ \t]*(\?\??))$/;
/** The longest line that is taken for a request for help. */
const longestHelp = 500;
const candidate = /^[ \t]*(?:!(?!=)|%%?[A-Za-z])/;
const line = /^[ \t]*(%%?)([A-Za-z]\w*)(.*)$/;
/** Magics that may follow `%%time`. */
const mostCellMagics = 10;

/** Reads the magics of a cell as it was typed. All that runs, checks, exports or inspects cells uses this. */
export function readMagics(source: string): ReadCell {
  const request = readRequest(source);
  if (request) return request;
  const { code, argument } = takeTypes(source);
  const install = emptyRequest();
  const read: ReadCell = { code: plainSpecifiers(rewriteMagics(code, install), install) };
  if (argument !== undefined) read.types = argument;
  if (install.byMagic || install.packages.length > 0 || install.problem !== undefined) read.install = install;
  return read;
}

/** A cell whose only line requests help, or something of the session. */
export function readRequest(source: string): ReadCell | undefined {
  let only: { line: string; start: number } | undefined;
  let start = 0;
  for (const each of linesOf(source)) {
    if (!quiet.test(each)) {
      if (only !== undefined || each.trim().length > longestHelp) return undefined;
      only = { line: each, start };
    }
    start += each.length + 1;
  }
  if (!only) return undefined;
  const code = source.slice(0, only.start) + blank(only.line) + source.slice(only.start + only.line.length);
  const text = only.line.trim();
  const [, magic, argument = ""] = /^(%\w+)(?:\s+(.*))?$/.exec(text) ?? [];
  if (magic !== undefined && ownCell.includes(magic)) return { code, session: { name: magic, argument } };
  const [, before, named, name = named, after = before] = helpRequest.exec(text) ?? [];
  return name === undefined ? undefined : { code, help: { name, detail: after === "??" ? 1 : 0 } };
}

function* linesOf(source: string): IterableIterator<string> {
  let start = 0;
  for (let end = source.indexOf("\n"); end !== -1; end = source.indexOf("\n", start)) {
    yield source.slice(start, end);
    start = end + 1;
  }
  yield source.slice(start);
}

function blank(source: string): string {
  return source.replace(/[^\r\n]/g, " ");
}

/** Takes a `%types` line off the top of a cell. */
function takeTypes(source: string): { code: string; argument?: string } {
  const [whole, argument] = /^\s*%types\b([^\r\n]*)/.exec(source) ?? [];
  if (whole === undefined) return { code: source };
  return { code: blank(whole) + source.slice(whole.length), argument: argument!.trim() };
}

/** A cell without magics comes back as it is. */
function rewriteMagics(source: string, install: PackageRequest, depth = 0): string {
  if (!/^[ \t]*[%!]/m.test(source)) return source;
  const opening = depth < mostCellMagics ? cellMagicIn(source) : undefined;
  if (opening) return rewriteCell(opening, install, depth);
  const lines = source.split("\n");
  const candidates = lines.flatMap((text, index) => (candidate.test(text) ? [index] : []));
  if (candidates.length === 0) return source;
  const shellOnly = parses(source);
  const remaining = candidates.filter((index) => !shellOnly || lines[index]!.trimStart().startsWith("!"));
  for (const index of startingStatements(lines, remaining)) lines[index] = rewriteLine(lines[index]!, install);
  return lines.join("\n");
}

interface CellMagic {
  /** Option lines and comments may stand before it. */
  before: string;
  name: string;
  argument: string;
  body: string;
}

function cellMagicIn(source: string): CellMagic | undefined {
  let start = 0;
  for (const each of linesOf(source)) {
    const [, name, argument] = /^[ \t]*%%([A-Za-z]\w*)(.*)/.exec(each) ?? [];
    if (name !== undefined)
      return {
        before: source.slice(0, start),
        name,
        argument: argument!.trim(),
        body: source.slice(start + each.length + 1),
      };
    if (!quiet.test(each)) return undefined;
    start += each.length + 1;
  }
  return undefined;
}

function rewriteCell({ before, name, argument, body }: CellMagic, install: PackageRequest, depth: number): string {
  const commented = before.replace(/^([ \t]*)#\|/gm, "$1//");
  if (name === "time") return `${commented}${MAGICS}.timeCell();\n${rewriteMagics(body, install, depth + 1)}`;
  return `${commented}${call(isMagic(`%%${name}`) ? "cell" : "unknown", `%%${name}`, argument, body)}`;
}

function rewriteLine(text: string, install: PackageRequest): string {
  const trimmed = text.trim();
  if (trimmed.startsWith("!")) return call("line", "!", trimmed.slice(1).trim());
  const [, , name = "", rest = ""] = line.exec(trimmed)!;
  const argument = rest.trim();
  if (name === "install") {
    readInstallLine(argument, install);
    return "";
  }
  if (name === "import" && argument) {
    const statement = importsOf(argument.split(/[\s,]+/).filter((each) => each !== ""));
    return `${statement}; ${call("line", "%import", statement)}`;
  }
  if (name === "time" && argument) return timed(argument);
  if (name === "timeit" && argument) return repeated(argument);
  if (ownCell.includes(`%${name}`)) return call("unknown", `%${name}`, "must be the only line of its cell");
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
 * Returns the lines at which a statement starts. A name is put at each line, and the parser shows where it is a statement. A
 * line inside a template literal may prevent parsing, so the cell is then parsed without each of a few lines. When the cell
 * has another syntax error, its lines alone decide.
 */
function startingStatements(lines: readonly string[], candidates: readonly number[]): number[] {
  const tried = candidates.length <= mostTried ? candidates : [];
  for (const left of [undefined, ...tried]) {
    const chosen = new Set(candidates.filter((index) => index !== left));
    const marked = lines.map((text, index) => (chosen.has(index) ? placeholder(index) : text)).join("\n");
    const parsed = parseText(marked);
    if (!parsed || parsed.errors.length > 0) continue;
    const statements = new Set(parsed.program.body.map((node) => marked.slice(node.start, node.end)));
    return [...chosen].filter((index) => statements.has(placeholder(index)));
  }
  return [...candidates];
}

/** The most magics for which the cell is parsed again without each, because every attempt parses the whole cell. */
const mostTried = 20;

function placeholder(index: number): string {
  return `__halftone_line_${index};`;
}

function parses(code: string): boolean {
  return parseText(code)?.errors.length === 0;
}
