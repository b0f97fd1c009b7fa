import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "oxc-parser";
import { readMagics } from "../../kernel/magics/rewrite.ts";
import { sortedKeys } from "../base/sorted-keys.ts";
import { findGpu } from "../runtime/machine.ts";
import { libraryFolder } from "../runtime/setup/cache.ts";
import { mainLibrary } from "../runtime/setup/linking.ts";
import { readManifest } from "../runtime/setup/manifest.ts";
import { recipeFor } from "../runtime/setup/recipe.ts";
import type { Notebook } from "./nbformat.ts";
import { hasTag } from "./parameters.ts";

/** Hashes of everything that determines a run's outputs. If all of them are unchanged, a run need not be repeated. */

export interface InputFile {
  bytes: number;
  sha256: string;
}

/** Matches the names of code files. */
export const CODE = /\.[cm]?[jt]sx?$/;

const hashOf = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");

/**
 * A hash over what a person wrote in the notebook: cells, tags and options, but not outputs, ids, times or a run's record. The order of
 * keys does not count, because a written copy has them sorted.
 */
export function sourceHash({ cells, metadata }: Notebook): string {
  const { types } = (metadata.halftone ?? {}) as { types?: unknown };
  const content = cells
    .filter((cell) => !hasTag(cell, "injected-parameters"))
    .map(({ cell_type, source, metadata: { execution: _, ...kept } }) => [cell_type, source, kept]);
  return hashOf(JSON.stringify(sortedKeys([metadata.kernelspec ?? null, types ?? null, content])));
}

/**
 * The files that the notebook names: string literals in its cells that are paths of files in or below its folder, and recursively
 * the files that code files among them name. Paths that are computed at run time are not found.
 */
export function inputFiles({ cells }: Notebook, folder: string): Record<string, InputFile> {
  const sources = cells.filter(({ cell_type }) => cell_type === "code").map(({ source }) => readMagics(source).code);
  return filesNamedBy(sources.flatMap(stringLiterals), folder);
}

/** The same for texts, of which some may be paths of files, such as values of parameters. */
export function filesNamedBy(texts: readonly string[], folder: string): Record<string, InputFile> {
  const found: Record<string, InputFile> = {};
  const add = (names: readonly string[], from: string) => {
    for (const text of names) {
      const file = path.resolve(from, text);
      const name = path.relative(folder, file).replaceAll("\\", "/");
      if (name === "" || name.startsWith("..") || path.isAbsolute(name) || name in found) continue;
      if (!isFile(file)) continue;
      const content = readFileSync(file);
      found[name] = { bytes: content.length, sha256: hashOf(content) };
      if (CODE.test(file)) add(stringLiterals(content.toString()), path.dirname(file));
    }
  };
  add(texts.filter(mayBePath), folder);
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All texts of a value, each of which may be the path of a file. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const mayBePath = (text: string) => text !== "" && text.length < 1000 && !text.includes("\n") && !text.includes("\0");

function stringLiterals(source: string): string[] {
  const found: string[] = [];
  const add = (value: string) => {
    if (mayBePath(value)) found.push(value);
  };
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === "string") add(value);
    },
    TemplateElement: ({ value }) => add(value.cooked ?? ""),
  }).visit(parseSync("cell.ts", source).program);
  return found;
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The version, and a short hash over the built program, which distinguishes two states of a checkout. */
export function halftoneVersion(): { version: string; build: string } {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
  const hash = createHash("sha256");
  for (const part of ["src", "kernel"]) {
    const folder = path.join(root, "dist", part);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
    for (const file of files.sort()) hash.update(file).update(readFileSync(path.join(folder, file)));
  }
  return { version, build: hash.digest("hex").slice(0, 16) };
}

/** The sha256 of the TensorFlow library that a notebook would load on this machine; undefined if it would not load one. */
export function nativeLibraryHash(): string | undefined {
  if (process.env.HALFTONE_BACKEND === "wasm") return undefined;
  for (const device of findGpu() ? (["gpu", "cpu"] as const) : (["cpu"] as const)) {
    try {
      const manifest = readManifest(libraryFolder(recipeFor(device).key));
      if (manifest) return manifest.files[mainLibrary()]?.sha256;
    } catch {
      return undefined; // There is no library for this platform.
    }
  }
  return undefined;
}
