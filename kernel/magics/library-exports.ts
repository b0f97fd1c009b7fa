/** The names that `halftone` exports, read from its declarations. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../src/index.d.ts", import.meta.url));

let exported: Map<string, string> | undefined;

/** The exports and their kinds, `type` for one that is only a type. */
export function libraryExports(): ReadonlyMap<string, string> {
  if (!exported) {
    exported = new Map();
    readExports(entry, exported);
  }
  return exported;
}

/** The line that imports an export of `halftone`. */
export const importLine = (name: string, kind: string): string =>
  `import { ${kind === "type" ? "type " : ""}${name} } from "halftone"`;

function readExports(file: string, into: Map<string, string>): void {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return;
  }
  for (const { 1: from } of text.matchAll(/^export \* from "(\.[^"]+)";/gm))
    readExports(resolve(dirname(file), from!.replace(/\.([cm]?)[jt]s$/, ".d.$1ts")), into);
  for (const { 1: kind, 2: name } of text.matchAll(
    /^export declare (?:abstract )?(function|const|class|let) ([\w$]+)/gm,
  ))
    into.set(name!, kind === "class" || kind === "function" ? kind : "variable");
  for (const { 1: name } of text.matchAll(/^export (?:declare )?(?:interface|type) ([\w$]+)/gm)) addType(name!, into);
  for (const { 1: all, 2: list } of text.matchAll(/^export (type )?\{([^}]*)\}/gm))
    for (const each of list!.split(",")) {
      const name = each
        .trim()
        .split(/\s+as\s+|\s+/)
        .at(-1)!;
      if (name === "") continue;
      if (all !== undefined || /^type\s/.test(each.trim())) addType(name, into);
      else if (into.get(name) === undefined || into.get(name) === "type") into.set(name, "function");
    }
}

/** A value of the same name comes first. */
function addType(name: string, into: Map<string, string>): void {
  if (!into.has(name)) into.set(name, "type");
}
