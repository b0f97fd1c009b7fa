/** The module hooks for the user's files, the same on the main thread and on Node 20's hooks thread. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileModule } from "../../../compile/module.ts";
import { findLocal, graphOf, isLocal } from "./graph.ts";

/** Parents from which packages are resolved for the user's files. */
export interface HookUrls {
  /** In the folder of a lock's packages, which then take the place of the notebook's. */
  packagesUrl: string | undefined;
  /** Where packages are looked for, in order, that are not found from the importing file. */
  fallbacks: readonly string[];
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
export function loadLocal(url: string): Loaded | undefined {
  const file = localFile(url);
  if (file === undefined) return undefined;
  const extension = path.extname(file);
  if (!compiled.test(extension)) return undefined;
  const { code, isModule } = compileModule(readFileSync(file, "utf8"), file);
  const commonjs = extension === ".cts" || (!isModule && /\b(?:module\.exports|exports\.|require\s*\()/.test(code));
  return { format: commonjs ? "commonjs" : "module", source: code };
}

function localFile(url: string | undefined): string | undefined {
  if (!url?.startsWith("file:")) return undefined;
  const file = fileURLToPath(url.replace(/[?#].*$/, ""));
  return isLocal(file) ? file : undefined;
}
