import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "oxc-parser";
import { readMagics } from "../../kernel/magics/rewrite.ts";
import { findGpu } from "../runtime/machine.ts";
import { libraryFolder } from "../runtime/setup/cache.ts";
import { readManifest } from "../runtime/setup/manifest.ts";
import { recipeFor } from "../runtime/setup/recipe.ts";
import type { Notebook } from "./nbformat.ts";
import { hasTag } from "./parameters.ts";

/** What decides a run's outputs, as hashes: two runs that agree in all of it need not both be made. */

export interface InputFile {
  bytes: number;
  sha256: string;
}

/** The names of code files. */
export const CODE = /\.[cm]?[jt]sx?$/;

const hashOf = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");

/** Over all that a person wrote into the notebook: cells, tags and options, not outputs, ids, times or a run's record. */
export function sourceHash({ cells, metadata }: Notebook): string {
  const { types } = (metadata.halftone ?? {}) as { types?: unknown };
  const written = cells
    .filter((cell) => !hasTag(cell, "injected-parameters"))
    .map(({ cell_type, source, metadata: { execution: _, ...kept } }) => [cell_type, source, kept]);
  return hashOf(JSON.stringify([metadata.kernelspec ?? null, types ?? null, written]));
}

/**
 * The files that the notebook names: text in its cells that is the path of a file in or below its folder, and what
 * the code files among them name in turn. A path put together at run time is not seen.
 */
export function inputFiles({ cells }: Notebook, folder: string): Record<string, InputFile> {
  const found: Record<string, InputFile> = {};
  const look = (source: string, from: string) => {
    for (const text of texts(source)) {
      const file = path.resolve(from, text);
      const name = path.relative(folder, file).replaceAll("\\", "/");
      if (name === "" || name.startsWith("..") || path.isAbsolute(name) || name in found) continue;
      if (!isFile(file)) continue;
      const content = readFileSync(file);
      found[name] = { bytes: content.length, sha256: hashOf(content) };
      if (CODE.test(file)) look(content.toString(), path.dirname(file));
    }
  };
  for (const { cell_type, source } of cells) if (cell_type === "code") look(readMagics(source).code, folder);
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function texts(source: string): string[] {
  const found: string[] = [];
  const add = (value: string) => {
    if (value !== "" && value.length < 1000 && !value.includes("\n") && !value.includes("\0")) found.push(value);
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

/** The version, and a short hash over the program itself, which tells two states of a checkout apart. */
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

/** The sha256 of the TensorFlow library that a notebook would load here; nothing where it would not load one. */
export function nativeLibraryHash(): string | undefined {
  if (process.env.HALFTONE_BACKEND === "wasm") return undefined;
  for (const device of findGpu() ? (["gpu", "cpu"] as const) : (["cpu"] as const)) {
    try {
      const manifest = readManifest(libraryFolder(recipeFor(device).key));
      if (manifest) return manifest.files["tensorflow/libtensorflow_cc.so.2"]?.sha256;
    } catch {
      return undefined; // No library is made for this platform.
    }
  }
  return undefined;
}
