import { readFileSync, statSync } from "node:fs";

/** Bytes. */
const longestSource = 10_000_000;

/** A source file's text; undefined for what cannot be read, what is no file (a folder, a device), and a file too long for a source. */
export function readSource(file: string): string | undefined {
  try {
    const stats = statSync(file);
    return stats.isFile() && stats.size <= longestSource ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
