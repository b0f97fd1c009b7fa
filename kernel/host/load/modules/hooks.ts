/** The module hooks for the user's files, the same on the main thread and on Node 20's hooks thread. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mapComment } from "../../../compile/map-comment.ts";
import { compileModule } from "../../../compile/module.ts";
import { findLocal, graphOf, isLocal } from "./graph.ts";

export interface HookOptions {
  /** In the folder of a lock's packages, which then take the place of the notebook's. */
  packagesUrl: string | undefined;
  /** Where packages are looked for, in order, that are not found from the importing file. */
  fallbacks: readonly string[];
  /** Whether compiled files contain their source maps, for debuggers other than the kernel's own. */
  inlineMaps: boolean;
}

export interface Resolved {
  url: string;
  importAttributes?: Record<string, string>;
}

/** The URL of one of the user's files, in its present version; undefined leaves the import to Node. */
export function resolveLocal(specifier: string, parentUrl: string | undefined): Resolved | undefined {
  const parent = localFile(parentUrl);
  if (parent === undefined) return undefined;
  const file = findLocal(specifier, parent);
  return file !== undefined && isLocal(file) ? versioned(file) : undefined;
}

export function versioned(file: string): Resolved {
  const url = `${pathToFileURL(file).href}?v=${graphOf(file).version}`;
  return file.endsWith(".json") ? { url, importAttributes: { type: "json" } } : { url };
}

export interface Loaded {
  format: "module" | "commonjs";
  source: string;
}

const compiled = /^\.([mc]?ts|[jt]sx)$/;

/** The compiled JavaScript of one of the user's files; undefined leaves the file to Node. */
export function loadLocal(url: string, inlineMaps: boolean): Loaded | undefined {
  const file = localFile(url);
  if (file === undefined) return undefined;
  const extension = path.extname(file);
  if (!compiled.test(extension)) return undefined;
  const text = readFileSync(file, "utf8");
  const { code, map, isModule } = compileModule(text, file);
  const commonjs = extension === ".cts" || (!isModule && /\b(?:module\.exports|exports\.|require\s*\()/.test(code));
  const format = commonjs ? "commonjs" : "module";
  if (!inlineMaps) return { format, source: code };
  const sources = { sources: [pathToFileURL(file).href], sourcesContent: [text] };
  return { format, source: code + mapComment({ ...(JSON.parse(map || sameLines(text)) as object), ...sources }) };
}

/** The source map of a text that was not changed. */
function sameLines(text: string): string {
  const mappings = `AAAA${";AACA".repeat(text.split("\n").length - 1)}`;
  return JSON.stringify({ version: 3, names: [], mappings });
}

function localFile(url: string | undefined): string | undefined {
  if (!url?.startsWith("file:")) return undefined;
  const file = fileURLToPath(url.replace(/[?#].*$/, ""));
  return isLocal(file) ? file : undefined;
}
