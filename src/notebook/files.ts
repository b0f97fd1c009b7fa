import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { NotebookProblem } from "./problem.ts";

/** What the operating system's refusals mean for somebody who wants a file written. */
const REFUSALS: Record<string, string> = {
  EACCES: "no permission to write there; choose another place with -o",
  EPERM: "no permission to write there; choose another place with -o",
  EINVAL: "the file system does not take such a file; choose another place with -o",
  EROFS: "the file system is read-only; choose another place with -o",
  ENOSPC: "the disk is full; free some space or choose another place with -o",
  EDQUOT: "the disk quota is used up; free some space or choose another place with -o",
  EFBIG: "the file would be larger than this system allows (ulimit -f)",
  ENOTDIR: "a part of this path is a file, not a folder",
  EEXIST: "a part of this path is a file, not a folder",
  EISDIR: "this is a folder, not a file",
  ENOENT: "its folder cannot be made",
};

/** Writes under a temporary name beside `file`, then renames, so that a reader sees the old text or the new, never half. */
export function writeWhole(file: string, text: string): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID().slice(0, 8)}.tmp`);
  try {
    makeFolder(path.dirname(file));
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch (error) {
    removeIfThere(temporary);
    throw refused(file, error);
  }
}

/** `mkdirSync(..., { recursive: true })` never returns where a file system answers ENOENT to mkdir, as /proc does. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its folder is what could not be made: then there is nothing to remove.
  }
}

function refused(file: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const meaning = code && REFUSALS[code];
  return meaning ? new NotebookProblem(`Cannot write ${file}: ${meaning} (${code}).`) : error;
}
