import { isCurrent, ownImport, stemIn } from "../program/paths.ts";
import type { Range, ServerDiagnostic } from "../server/protocol.ts";
import { sentenceOf } from "./sentence.ts";

/** A type error (or warning), at a place in the cell. Lines and columns count from 1, columns in UTF-16 units. */
export interface TypeProblem {
  severity: "error" | "warning";
  /** TypeScript's number for it, such as 2322. */
  code: number;
  /** The message in one line. */
  message: string;
  /** The compiler's reasons, a line each. */
  reasons: string[];
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

/** Where an earlier cell is: in a line of a file, or under a name in it. */
export type CellLocation = { stem: string; line: number } | { stem: string; path: string };
/** The name of an earlier cell in messages. */
export type Labels = (place: CellLocation) => string | undefined;

/** An import without types is `any`: a warning, not an error. */
const untyped = 7016;
/** A header's variable that takes its type from what is assigned has none in a function; the cell can do nothing about it. */
const growing = new Set([7005, 7034]);

/** A comparison, also in a `case`, of types without a common value. */
const noOverlap = new Set([2367, 2678]);
const kinds = [String.raw`"(?:[^"\\]|\\.)*"`, String.raw`-?\d[\d.e+-]*`, "(?:true|false)"];
const twoLiterals = new RegExp(kinds.map((kind) => `'${kind}'.*'${kind}'`).join("|"));

/**
 * Whether an error is that two constants differ. In a notebook the other value comes when a cell is edited, or given parameters, and
 * run again: after `const optimizer = "adam"`, a cell may ask for `optimizer === "sgd"`.
 */
const comparesConstants = (code: number, message: string): boolean => noOverlap.has(code) && twoLiterals.test(message);

/** The server's diagnostics as problems of the cell. The file has `lines` lines before the cell's `count` lines. */
export function readProblems(
  found: readonly ServerDiagnostic[],
  { lines, count, labels }: { lines: number; count: number; labels: Labels },
): TypeProblem[] {
  const problems: TypeProblem[] = [];
  for (const { range, severity, code = 0, message, relatedInformation } of found) {
    if (severity !== 1 || growing.has(code) || comparesConstants(code, message)) continue;
    const { start, end } = shift(range, lines);
    if (start.line < 0 || start.line >= count) continue;
    const [first, ...rest] = relabel(message, labels).split("\n");
    const reasons = rest.map((line) => line.replace(/^ {2}/, ""));
    for (const each of relatedInformation ?? []) {
      const where = placeOf(each.location, labels);
      if (where) reasons.push(`${relabel(each.message, labels)} (${where})`);
    }
    const sentence = sentenceOf(first!, rest);
    if (sentence !== undefined) reasons.unshift(first!);
    problems.push({
      severity: code === untyped ? "warning" : "error",
      code,
      message: sentence ?? first!,
      reasons,
      line: start.line + 1,
      column: start.character + 1,
      endLine: end.line + 1,
      endColumn: end.character + 1,
    });
  }
  return withoutFollowUps(problems.sort((a, b) => a.line - b.line || a.column - b.column));
}

/** Errors about a name, namespace, module, export or property that is not found. Its type is then unknown. */
const notFound = new Set([
  2304, 2305, 2307, 2318, 2339, 2503, 2551, 2552, 2580, 2581, 2582, 2583, 2584, 2614, 2724, 18004,
]);
/** Errors about an implicit `any`: a parameter, a rest parameter, a variable, an element of a pattern, a result, an index. */
const implicitAny = new Set([7006, 7019, 7022, 7023, 7024, 7031, 7053]);

/** One problem for one mistake: a name that cannot be found is reported once, and the resulting `any`s are not. */
function withoutFollowUps(problems: readonly TypeProblem[]): TypeProblem[] {
  const unknown = new Map<string, TypeProblem>();
  const again = new Map<TypeProblem, number[]>();
  const first = problems.filter((each) => {
    if (!notFound.has(each.code)) return true;
    const earlier = unknown.get(each.message);
    if (earlier === undefined) unknown.set(each.message, each);
    else again.set(earlier, [...(again.get(earlier) ?? []), each.line]);
    return earlier === undefined;
  });
  for (const [problem, lines] of again) {
    const others = [...new Set(lines)].filter((line) => line !== problem.line);
    if (others.length > 0) problem.reasons.push(`also on line${others.length > 1 ? "s" : ""} ${others.join(", ")}`);
  }
  return unknown.size === 0 ? first : first.filter(({ code }) => !implicitAny.has(code));
}

function shift({ start, end }: Range, lines: number): Range {
  return { start: { ...start, line: start.line - lines }, end: { ...end, line: end.line - lines } };
}

/**
 * Names of the notebook's own files and of what stands in them for a reader; a type that is not imported, told by its file
 * as `import("/…/tensor").Tensor<…>`, by its name alone.
 */
export function relabel(message: string, labels: Labels): string {
  if (!message.includes("import(") && !message.includes(".halftone-") && !message.includes("$$")) return message;
  return message
    .replace(/\bimport\("(?![^"]*\.halftone-)[^"]+"\)\./g, "")
    .replace(
      new RegExp(`${ownImport.source}([\\p{ID_Start}$_][\\p{ID_Continue}$]*)?`, "gu"),
      (_, file: string, path: string, name: string | undefined) => {
        const bare = (name ?? "").replace(/\$\$end$/, "");
        if (file === "history") return bare;
        const stem = stemIn(`.halftone-${file}`);
        const where = stem === undefined ? "this cell" : (labels({ stem, path }) ?? "an earlier cell");
        return bare === "" ? where : `${bare} of ${where}`;
      },
    )
    .replace(/(?:\$\$[fpm]?\d+\.)+|\$\$end\b/g, "");
}

function placeOf({ uri, range }: { uri: string; range: Range }, labels: Labels): string | undefined {
  const stem = isCurrent(uri) ? undefined : stemIn(uri);
  return stem === undefined ? undefined : labels({ stem, line: range.start.line });
}
