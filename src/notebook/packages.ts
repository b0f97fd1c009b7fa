import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "oxc-parser";
import { readMagics } from "../../kernel/magics/rewrite.ts";
import { ownDependencies, ownPackagesFolder } from "../../kernel/protocol/own-packages.ts";
import { CODE, inputFiles } from "./identity.ts";
import type { Notebook } from "./nbformat.ts";

/** A package that cells import: its version, and where it is installed. */
export interface ImportedPackage {
  name: string;
  version: string;
  /** The folder whose `node_modules` contains the package. */
  root: string;
  /** Whether it comes with halftone, because the notebook's folder does not have the package. */
  builtIn: boolean;
}

const halftoneRoot = fileURLToPath(new URL("../../../", import.meta.url)).replace(/[\\/]$/, "");

/** Where a notebook's packages are. */
export interface PackagePlaces {
  /** The notebook's folder. */
  folder: string;
  /** The notebook's file, which names the folder of the packages that its cells install. */
  file?: string | undefined;
  /** A lock's packages, used instead of all these. */
  packages?: string | undefined;
}

/**
 * The packages that the notebook's cells and its own code files import, resolved like in the kernel: those that cells installed, then
 * from the notebook's folder (or only in `packages`, if given), then from halftone's own packages.
 */
export function importedPackages(notebook: Notebook, { folder, file, packages }: PackagePlaces): ImportedPackage[] {
  const own = ownPackagesFolder(folder, { JPY_SESSION_NAME: file });
  const installed = ownDependencies(own);
  const cells = notebook.cells.flatMap((cell) => (cell.cell_type === "code" ? [readMagics(cell.source).code] : []));
  const files = Object.keys(inputFiles(notebook, folder)).filter((name) => CODE.test(name));
  const sources = [...cells, ...files.map((name) => readFileSync(path.join(folder, name), "utf8"))];
  const names = new Set(sources.flatMap(importsOf));
  return [...names].sort().flatMap((name) => {
    const found =
      (packages !== undefined
        ? packageIn(name, packages)
        : ((Object.hasOwn(installed, name) ? packageIn(name, own) : undefined) ?? findPackage(name, folder, false))) ??
      findPackage(name, path.join(halftoneRoot, "dist"), true);
    return found ? [found] : [];
  });
}

export function packageVersions(notebook: Notebook, places: PackagePlaces): Record<string, string> {
  return Object.fromEntries(importedPackages(notebook, places).map(({ name, version }) => [name, version]));
}

/** The package's name in `name/file` and `@scope/name/file`; undefined for files, URLs and Node's own modules. */
function packageName(specifier: string): string | undefined {
  if (isBuiltin(specifier) || /^([./#]|[a-z]+:)/i.test(specifier)) return undefined;
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

function importsOf(source: string): string[] {
  const found: string[] = [];
  const add = (specifier: unknown) => {
    const name = typeof specifier === "string" ? packageName(specifier) : undefined;
    if (name) found.push(name);
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source.value),
    ImportExpression: ({ source: from }) => add(from.type === "Literal" ? from.value : undefined),
    CallExpression: ({ callee, arguments: [first] }) => {
      if (callee.type === "Identifier" && callee.name === "require" && first?.type === "Literal") add(first.value);
    },
  }).visit(parseSync("cell.tsx", source).program);
  return found;
}

function packageIn(name: string, root: string): ImportedPackage | undefined {
  const found = read(path.join(root, "node_modules", name));
  return found && { ...found, name, root, builtIn: false };
}

function findPackage(name: string, from: string, builtIn: boolean): ImportedPackage | undefined {
  if (builtIn && name === "halftone") return { ...read(halftoneRoot)!, root: halftoneRoot, builtIn };
  for (let root = path.resolve(from); ; root = path.dirname(root)) {
    const found = read(path.join(root, "node_modules", name));
    if (found) return { ...found, name, root, builtIn: builtIn || root === halftoneRoot };
    if (root === path.dirname(root)) return undefined;
  }
}

function read(folder: string): { name: string; version: string } | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
    return { name, version };
  } catch {
    return undefined;
  }
}
