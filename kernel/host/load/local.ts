/** The part of the loader that needs a parser: loaded with the first import of one of the user's own files. */
import { readFileSync } from "node:fs";
import { compileModule } from "../../compile/module.ts";
import { useFileMaps } from "../errors/stack.ts";
import { findLocal, graphOf, isLocal } from "./modules/graph.ts";
import { type HookOptions, versioned } from "./modules/hooks.ts";
import { installHooks } from "./modules/install.ts";

export function install(options: HookOptions): void {
  installHooks(options);
  useFileMaps((path) => compileModule(readFileSync(path, "utf8"), path).map);
}

export interface Found {
  url: string;
  attributes?: Record<string, string>;
  /** Packages that the file or those below it import. */
  packages: Set<string>;
}

export function find(specifier: string, parent: string): Found | undefined {
  const file = findLocal(specifier, parent);
  if (file === undefined || !isLocal(file)) return undefined;
  const { url, importAttributes } = versioned(file);
  return { url, packages: graphOf(file).packages, ...(importAttributes ? { attributes: importAttributes } : {}) };
}
