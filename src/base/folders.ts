import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";

/** Creates a folder and its parents. `mkdirSync` with `recursive` never returns on a file system that answers ENOENT to mkdir, such as /proc. */
export function makeFolder(folder: string, mode?: number): void {
  if (existsSync(folder)) return;
  if (path.dirname(folder) !== folder) makeFolder(path.dirname(folder), mode);
  try {
    mkdirSync(folder, mode === undefined ? {} : { mode });
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

/** Descriptions of the operating system's error codes for a file that cannot be written. */
const REFUSALS: Record<string, string> = {
  EACCES: "no permission to write there",
  EPERM: "no permission to write there",
  EINVAL: "the file system does not support such a file",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than this system allows (ulimit -f)",
  ENOTDIR: "a part of this path is a file, not a folder",
  EEXIST: "a part of this path is a file, not a folder",
  EISDIR: "this is a folder, not a file",
  ENOTEMPTY: "this is a folder, not a file",
  ENOENT: "its folder cannot be created",
  ENAMETOOLONG: "the name is longer than the file system allows",
  ELOOP: "a part of this path is a link to itself",
  ETXTBSY: "the file is in use",
  EBUSY: "the file is in use",
  EMFILE: "this process has too many files open (ulimit -n)",
  EIO: "the disk reports an error",
};

/** Describes why the operating system refused a write; undefined for any other error. */
export function whyRefused(error: unknown): { meaning: string; code: string } | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const meaning = code && REFUSALS[code];
  return meaning ? { meaning, code } : undefined;
}

/**
 * The message for a cache that the operating system does not let us write, which an environment variable can move; undefined for any
 * other error.
 */
export function unwritableCache(error: unknown, folder: string, variable: string): string | undefined {
  const why = whyRefused(error);
  return (
    why && `cannot write ${folder}: ${why.meaning} (${why.code}); make room there, or set ${variable} to another folder`
  );
}
