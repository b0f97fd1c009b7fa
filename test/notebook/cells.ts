import { writeFileSync } from "node:fs";
import path from "node:path";

export interface RawCell {
  cell_type: "code" | "markdown" | "raw";
  metadata: Record<string, unknown>;
  source: string | string[];
  [field: string]: unknown;
}

export function code(source: string, ...tags: string[]): RawCell {
  const metadata = tags.length > 0 ? { tags } : {};
  return { cell_type: "code", metadata, source, execution_count: null, outputs: [] };
}

export function markdown(source: string): RawCell {
  return { cell_type: "markdown", metadata: {}, source };
}

export function notebookJson(cells: RawCell[], metadata: Record<string, unknown> = TYPESCRIPT): string {
  return JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata, cells });
}

const TYPESCRIPT = { kernelspec: { name: "halftone", display_name: "TypeScript", language: "typescript" } };

export function writeCells(folder: string, name: string, cells: RawCell[]): string {
  const file = path.join(folder, name);
  writeFileSync(file, notebookJson(cells));
  return file;
}
