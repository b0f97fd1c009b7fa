/** Resolves imports of the user's files, and computes a version of each from its content and that of its imports. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { readTsconfig } from "../../../compile/tsconfig.ts";

const extensions = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json"];
/** TypeScript allows an import to name the compiled file. */
const writtenAs: Record<string, string[]> = {
  ".js": [".ts", ".tsx"],
  ".jsx": [".tsx"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
};
const builtFolder = fileURLToPath(new URL("../../../../", import.meta.url));

/** A file that a user edits: not of a package, not of the kernel. */
export function isLocal(file: string): boolean {
  return (
    extensions.includes(path.extname(file)) &&
    !file.includes(`${path.sep}node_modules${path.sep}`) &&
    !file.startsWith(builtFolder)
  );
}

/** The user's file to which a specifier in `parent` refers, if any. */
export function findLocal(specifier: string, parent: string): string | undefined {
  if (specifier.startsWith("file:")) return firstFile(fileURLToPath(specifier.replace(/[?#].*$/, "")));
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(specifier)) {
    return firstFile(path.resolve(path.dirname(parent), decode(specifier.replace(/[?#].*$/, ""))));
  }
  for (const [pattern, targets] of Object.entries(readTsconfig(path.dirname(parent))?.paths ?? {})) {
    const rest = match(pattern, specifier);
    if (rest === undefined) continue;
    for (const target of targets) {
      const file = firstFile(target.replace("*", rest));
      if (file) return file;
    }
  }
  return undefined;
}

function decode(specifier: string): string {
  return specifier.includes("%") ? decodeURIComponent(specifier) : specifier;
}

function match(pattern: string, specifier: string): string | undefined {
  const star = pattern.indexOf("*");
  if (star === -1) return pattern === specifier ? "" : undefined;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  const fits = specifier.startsWith(head) && specifier.endsWith(tail) && specifier.length >= head.length + tail.length;
  return fits ? specifier.slice(head.length, specifier.length - tail.length) : undefined;
}

function firstFile(file: string): string | undefined {
  if (isFile(file)) return file;
  const extension = path.extname(file);
  for (const other of writtenAs[extension] ?? []) {
    const source = file.slice(0, -extension.length) + other;
    if (isFile(source)) return source;
  }
  for (const added of extensions) if (isFile(file + added)) return file + added;
  for (const added of extensions) {
    const index = path.join(file, `index${added}`);
    if (isFile(index)) return index;
  }
  return undefined;
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

interface FileFacts {
  stamp: string;
  hash: string;
  /** Specifiers of its imports that load something. */
  imports: string[];
}
const facts = new Map<string, FileFacts>();

function factsOf(file: string): FileFacts | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return undefined;
  const stamp = `${stat.mtimeMs}:${stat.size}:${stat.ino}`;
  const known = facts.get(file);
  if (known?.stamp === stamp) return known;
  const source = readFileSync(file, "utf8");
  const hash = createHash("sha256").update(source).digest("hex");
  const found = { stamp, hash, imports: file.endsWith(".json") ? [] : importsOf(source, file) };
  facts.set(file, found);
  return found;
}

function importsOf(source: string, file: string): string[] {
  const { module } = parseSync(file, source, { sourceType: "unambiguous" });
  const found: string[] = [];
  for (const each of module.staticImports) found.push(each.moduleRequest.value);
  for (const each of module.staticExports)
    for (const entry of each.entries) if (entry.moduleRequest) found.push(entry.moduleRequest.value);
  for (const each of module.dynamicImports) {
    const literal = /^(["'`])([^"'`$\\]*)\1$/.exec(source.slice(each.moduleRequest.start, each.moduleRequest.end));
    if (literal) found.push(literal[2]!);
  }
  for (const call of source.matchAll(/\brequire\(\s*(["'])([^"'\\]+)\1\s*\)/g)) found.push(call[2]!);
  return found;
}

export interface Graph {
  /** Changes when the file or any of the user's files below it does. */
  version: string;
  files: string[];
  /** Specifiers that name packages. */
  packages: Set<string>;
}

/** A file and all of the user's files that it imports directly or indirectly. */
export function graphOf(file: string): Graph {
  const files = new Set<string>();
  const packages = new Set<string>();
  const contents: string[] = [];
  const visit = (each: string): void => {
    if (files.has(each)) return;
    files.add(each);
    const found = factsOf(each);
    contents.push(`${each}\0${found?.hash ?? "missing"}`);
    for (const specifier of found?.imports ?? []) {
      const next = findLocal(specifier, each);
      if (next === undefined) packages.add(specifier);
      else if (isLocal(next)) visit(next);
    }
  };
  visit(file);
  const version = createHash("sha256").update(contents.sort().join("\n")).digest("hex").slice(0, 12);
  return { version, files: [...files], packages };
}
