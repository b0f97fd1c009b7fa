import { parseCell } from "../compile/parse.ts";
import type { Facts } from "./facts.ts";

/** Words of the type language, and types that mean the same everywhere. */
const known = new Set(
  "string number boolean bigint symbol object null undefined void unknown never any true false readonly keyof infer extends new abstract is asserts in out Array ReadonlyArray Promise Map ReadonlyMap Set ReadonlySet Record Date RegExp Uint8Array Uint8ClampedArray Int8Array Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array ArrayBuffer".split(
    " ",
  ),
);
const longest = 2000;

/** Variables whose type had to be worked out from their value, as [name, offset of the name in the cell]. */
export function inferred(facts: Facts): [name: string, at: number][] {
  return [...facts.declared].flatMap(([name, { inferred, at }]): [string, number][] => (inferred ? [[name, at]] : []));
}

/** The type that a hover shows for a variable, if it could be written behind the variable and mean the same. */
export function shownType(hover: string, name: string): string | undefined {
  const code = /```(?:typescript|tsx?)\n([\s\S]*?)\n```/.exec(hover)?.[1]?.replace(/\s+/g, " ").trim();
  const start = code === undefined ? null : /^(const|let|var) ([^\s:]+): /.exec(code);
  if (!code || !start || start[2] !== name) return undefined;
  const type = code.slice(start[0].length);
  if (type.length > longest || /\$\$/.test(type)) return undefined;
  const bare = withoutLiterals(type);
  if (/\b(?:typeof|this|unique)\b/.test(bare)) return undefined;
  // The type of a constant's literal grows in a variable, a written one does not.
  const outer = outermost(type);
  if (start[1] === "const" && (withoutLiterals(outer) !== outer || /\b(?:true|false)\b/.test(outer))) return undefined;
  return parseCell(`type T =\n${type};`).diagnostics.length === 0 ? type : undefined;
}

/**
 * Texts that may mean the shown type in the cell's file, likeliest first: as it is shown, and with the names that the cell
 * does not have taken from where `find` knows them, or else from one of `modules`.
 */
export function candidates(
  type: string,
  facts: Facts,
  find: (name: string) => string | undefined,
  modules: readonly string[],
): string[] {
  const foreign = (word: string) => !known.has(word) && !facts.declared.has(word) && !facts.used.has(word);
  const from = (module: string | undefined) =>
    replaceNames(type, (word) => {
      const place = foreign(word) ? (find(word) ?? module) : undefined;
      return place === undefined ? word : `import(${JSON.stringify(place)}).${word}`;
    });
  return [...new Set([type, from(undefined), ...modules.map(from)])];
}

/**
 * Lines for the end of a cell's file, one a candidate: one that is not the variable's very type is an error in its line.
 * The line after the last is an error in any file that is checked at all.
 */
export function proof(given: readonly { name: string; type: string }[]): string {
  const same =
    "type $$Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;";
  const lines = [...given.map(({ name, type }) => `typeof ${name}, ${type}`), "1, 2"];
  return [same, ...lines.map((both) => `null! as $$Same<${both}> satisfies true;`)].join("\n");
}

/** The cell's text with types written behind the names of variables. */
export function withTypes(text: string, facts: Facts, types: ReadonlyMap<string, string>): string {
  const places = [...types].map(([name, type]) => ({ at: facts.declared.get(name)!.at + name.length, type }));
  let written = text;
  for (const { at, type } of places.sort((a, b) => b.at - a.at))
    written = `${written.slice(0, at)}: ${type}${written.slice(at)}`;
  return written;
}

const literal = /"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|-?\b\d[\d.e+-]*n?\b/g;

function withoutLiterals(type: string): string {
  return type.replace(literal, "");
}

/** Without what stands in brackets. */
function outermost(type: string): string {
  let depth = 0;
  let kept = "";
  for (const each of type.replace(/=>/g, "")) {
    if (/[<([{]/.test(each)) depth++;
    if (depth === 0) kept += each;
    if (/[>)\]}]/.test(each)) depth--;
  }
  return kept;
}

/** Each name that is neither a member's nor a property's nor a parameter's. */
function replaceNames(type: string, replace: (word: string) => string): string {
  const name = /"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|\.?[\p{ID_Start}_$][\p{ID_Continue}$]*(?:\??:)?/gu;
  return type.replace(name, (found) => (/^["`.]|:$/.test(found) ? found : replace(found)));
}
