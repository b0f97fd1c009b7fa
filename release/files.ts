import { readdirSync } from "node:fs";
import path from "node:path";

/** The files below `folder` whose path, with `/` between folders, matches; paths start at `root`. */
export function filesUnder(root: string, folder: string, pattern: RegExp): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((file) => pattern.test(file))
    .sort();
}
