import { parseCell } from "../../compile/parse.ts";
import type { CellAnalysis } from "./cell-analysis.ts";
import { awaitedName, headerText, rootOf } from "./header.ts";

/** Keywords of types, and global types that mean the same in every file. */
const known = new Set(
  "string number boolean bigint symbol object null undefined void unknown never any true false readonly keyof infer extends new abstract is asserts in out Array ReadonlyArray Promise Map ReadonlyMap Set ReadonlySet Record Date RegExp Uint8Array Uint8ClampedArray Int8Array Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array ArrayBuffer".split(
    " ",
  ),
);
const longest = 2000;

/** Variables whose type was inferred from their value, as [name, offset of the name in the cell]. */
export function inferred(facts: CellAnalysis): [name: string, at: number][] {
  return [...facts.declared].flatMap(([name, { inferred, at }]): [string, number][] => (inferred ? [[name, at]] : []));
}

/** The type that a hover shows for a variable, or undefined when it would mean something else as an annotation. */
export function shownType(hover: string, name: string): string | undefined {
  const code = /```(?:typescript|tsx?)\n([\s\S]*?)\n```/.exec(hover)?.[1]?.replace(/\s+/g, " ").trim();
  const start = code === undefined ? null : /^(const|let|var) ([^\s:]+): /.exec(code);
  if (!code || !start || start[2] !== name) return undefined;
  const type = code.slice(start[0].length);
  if (type.length > longest || /\$\$(?![fpm]?\d+\.)/.test(type)) return undefined;
  const bare = withoutLiterals(type);
  if (/\b(?:typeof|this|unique)\b/.test(bare)) return undefined;
  // The inferred literal type of a constant widens when it is assigned to a variable; an annotated one does not.
  const outer = outermost(type);
  if (start[1] === "const" && (withoutLiterals(outer) !== outer || /\b(?:true|false)\b/.test(outer))) return undefined;
  return parseCell(`type T =\n${type};`).diagnostics.length === 0 ? type : undefined;
}

/** Matches references to other files in a type: `$$p1.$$17`, `$$f2`, `$$m0`. */
const foreign = /\$\$(?:p\d+\.\$\$\d+|[fm]\d+)(?=\.)/g;

/** The paths of the other files that a type refers to. */
export function placesIn(type: string): string[] {
  return [...type.matchAll(foreign)].map(([path]) => path);
}

/** The sources of the names in a cell's types. */
export interface TypeNames {
  /** The cell's path. */
  path: string;
  facts: CellAnalysis;
  /** Types from other cells, by name. */
  types: ReadonlyMap<string, string>;
  /** Finds the path of a type that has this name in the notebook now. */
  find: (name: string) => string | undefined;
  /** Modules that may export a name that was found nowhere else. */
  modules: readonly string[];
}

/** Texts that may denote the shown type in any file that imports their names. The most likely comes first. */
export function candidates(type: string, { path, facts, types, find, modules }: TypeNames): string[] {
  const own = (word: string) => (facts.declared.get(word)?.type ? `${path}.${word}` : types.get(word));
  const from = (elsewhere: (word: string) => string | undefined) =>
    replaceNames(type, (word) =>
      known.has(word) || word.startsWith("$$") ? word : (own(word) ?? elsewhere(word) ?? word),
    );
  const inModule = (module: string) => from((word) => find(word) ?? `${module}.${word}`);
  return [...new Set([from(() => undefined), from(find), ...modules.map(inModule)])];
}

/**
 * Makes a file with one line for each candidate. TypeScript reports an error in a line when the candidate is not identical to
 * the variable's type. The line after the last candidate is always an error, which shows that the file was checked at all.
 * `first` is the line of the first candidate.
 */
export function assignabilityCheck(given: readonly { variable: string; type: string }[]): {
  text: string;
  first: number;
} {
  const same =
    "type $$Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;";
  const roots = new Set(given.flatMap(({ variable, type }) => placesIn(`${variable} ${type}`).map(rootOf)));
  const lines = [...given.map(({ variable, type }) => `typeof ${variable}, ${type}`), "1, 2"];
  const tests = lines.map((both) => `null! as $$Same<${both}> satisfies true;`);
  return { text: [headerText({ from: roots, statements: "" }), same, ...tests, "export {};\n"].join("\n"), first: 2 };
}

/** Text that is inserted into the source of a past cell. */
export interface Insertion {
  at: number;
  text: string;
}

/** The type annotations of variables, and the wrappers of awaited expressions (see `awaitedName`). */
export function insertions(source: string, facts: CellAnalysis, types: ReadonlyMap<string, string>): Insertion[] {
  const found = [...types].map(([name, type]) => ({
    at: facts.declared.get(name)!.at + name.length,
    text: `: ${type}`,
  }));
  for (const { start, end } of facts.awaited) {
    if (/^await[ \t]+[\p{ID_Start}$_"'\d]/u.test(source.slice(source.lastIndexOf("await", start), start + 2))) continue;
    found.push({ at: start, text: `${awaitedName}(` }, { at: end, text: ")" });
  }
  return found.sort((a, b) => a.at - b.at);
}

/** The source with the insertions applied. */
export function inserted(source: string, insertions: readonly Insertion[]): string {
  let text = "";
  let last = 0;
  for (const { at, text: added } of insertions) {
    text += source.slice(last, at) + added;
    last = at;
  }
  return text + source.slice(last);
}

const literal = /"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|-?\b\d[\d.e+-]*n?\b/g;

function withoutLiterals(type: string): string {
  return type.replace(literal, "");
}

/** The text without its bracketed parts. */
function outermost(type: string): string {
  let depth = 0;
  let text = "";
  for (const each of type.replace(/=>/g, "")) {
    if (/[<([{]/.test(each)) depth++;
    if (depth === 0) text += each;
    if (/[>)\]}]/.test(each)) depth--;
  }
  return text;
}

/** Replaces each name that is not the name of a member, a property or a parameter. */
function replaceNames(type: string, replace: (word: string) => string): string {
  const name = /"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|\.?[\p{ID_Start}_$][\p{ID_Continue}$]*(?:\??:)?/gu;
  return type.replace(name, (found) => (/^["`.]|:$/.test(found) ? found : replace(found)));
}
