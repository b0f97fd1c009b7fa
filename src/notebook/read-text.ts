import { isUtf8 } from "node:buffer";
import { readFileSync, type Stats, statSync } from "node:fs";
import { UserError } from "../base/user-error.ts";

/** How a file was given on the command line, for error messages. */
export interface FileRequest {
  /** The option, for instance `-f`; undefined for an argument. */
  option?: string;
  /** What the file should be, for instance `a notebook`. */
  wanted: string;
}

const PROBLEMS: Record<string, string> = {
  EACCES: "there is no permission to read it",
  EPERM: "there is no permission to read it",
  ENAMETOOLONG: "the name is longer than the file system allows",
  ELOOP: "a part of this path is a link to itself",
  EISDIR: "it is a folder",
  ENXIO: "it is not a regular file",
  EIO: "the disk reports an error",
};

/** Reads a text file. @throws UserError if it cannot be read or is not UTF-8 text */
export function readTextFile(file: string, { option, wanted }: FileRequest): string {
  const label = option ? `${option} ${file}` : file;
  const bytes = reading(file, { option, wanted }, () => {
    const found = statSync(file);
    if (found.isDirectory()) throw new UserError(`${label} is a folder, not ${wanted}.`);
    return readFileSync(file);
  });
  if (bytes[0] === 0xff && bytes[1] === 0xfe) throw new UserError(`${label} is in UTF-16: save it as UTF-8.`);
  if (!isUtf8(bytes) || bytes.includes(0))
    throw new UserError(`${label} is not ${wanted}: it is a binary file, not text.`);
  return bytes.toString("utf8");
}

/** The `Stats` of what exists at `place`; undefined if nothing does. @throws UserError if `place` cannot be accessed */
export function whatIsAt(place: string, request: FileRequest): Stats | undefined {
  return reading(place, request, () => statSync(place, { throwIfNoEntry: false }));
}

/** Runs `read`. @throws UserError if the operating system refuses to read the file */
export function reading<Result>(file: string, { option, wanted }: FileRequest, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const label = option ? `${option} ${file}` : file;
    const noun = wanted.replace(/^an? /, "");
    if (code === "ENOENT") throw new UserError(`There is no ${noun} at ${label}.`);
    if (code === "ENOTDIR")
      throw new UserError(`There is no ${noun} at ${label}: a part of this path is a file, not a folder.`);
    if (PROBLEMS[code]) throw new UserError(`${label} cannot be read: ${PROBLEMS[code]} (${code}).`);
    throw error;
  }
}
