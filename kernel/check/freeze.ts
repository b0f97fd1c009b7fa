import type { Facts } from "./facts.ts";

/** Words that mean the same type everywhere. */
const known = new Set(
  "string number boolean bigint symbol object null undefined void unknown never any true false readonly Array ReadonlyArray Promise Map ReadonlyMap Set ReadonlySet Record Date RegExp Uint8Array Uint8ClampedArray Int8Array Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array ArrayBuffer".split(
    " ",
  ),
);
const longest = 2000;

/** Variables whose type had to be worked out from their value, as [name, offset of the name in the cell]. */
export function inferred(facts: Facts): [name: string, at: number][] {
  return [...facts.declared].flatMap(([name, { inferred, at }]): [string, number][] => (inferred ? [[name, at]] : []));
}

/**
 * The type that a hover shows for a variable, if it can be written in another file and mean the same: made of built-in
 * types and structure alone. Written down in the cell's file, it need not be worked out again for every later cell.
 */
export function writtenType(hover: string, name: string): string | undefined {
  const code = /```(?:typescript|tsx?)\n([\s\S]*?)\n```/.exec(hover)?.[1]?.replace(/\s+/g, " ").trim();
  const start = code === undefined ? null : /^(const|let|var) ([^\s:]+): /.exec(code);
  if (!code || !start || start[2] !== name) return undefined;
  const type = code.slice(start[0].length);
  if (type.length > longest || type.includes("...")) return undefined;
  const bare = type.replace(/"(?:[^"\\]|\\.)*"|\b\d[\d.e+-]*\b/g, "");
  // The type of a constant's literal grows in a variable, a written one does not.
  if (start[1] === "const" && bare.length !== type.length) return undefined;
  if (/`|\$/.test(bare)) return undefined;
  const words = bare
    .replace(/[\p{ID_Start}_][\p{ID_Continue}]*\??:/gu, "")
    .matchAll(/[\p{ID_Start}_][\p{ID_Continue}]*/gu);
  for (const [word] of words) if (!known.has(word)) return undefined;
  return /^(?:true|false)$/.test(type) ? undefined : type;
}

/** The cell's text with types written behind the names of variables. */
export function withTypes(text: string, facts: Facts, types: ReadonlyMap<string, string>): string {
  const places = [...types].map(([name, type]) => ({ at: facts.declared.get(name)!.at + name.length, type }));
  let written = text;
  for (const { at, type } of places.sort((a, b) => b.at - a.at))
    written = `${written.slice(0, at)}: ${type}${written.slice(at)}`;
  return written;
}
