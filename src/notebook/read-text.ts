import { isUtf8 } from "node:buffer";
import { readFileSync, type Stats, statSync } from "node:fs";
import { UserError } from "../base/user-error.ts";

/** A file that was named on the command line: by which option, and what it should be. */
export interface Asked {
  /** `-f`; empty for an argument. */
  option?: string;
  /** `a notebook`. */
  wanted: string;
}

const PROBLEMS: Record<string, string> = {
  EACCES: "there is no permission to read it",
  EPERM: "there is no permission to read it",
  ENAMETOOLONG: "the name is longer than a file's can be",
  ELOOP: "a part of this path is a link to itself",
  EISDIR: "it is a folder",
  ENXIO: "it is no ordinary file",
  EIO: "the disk reports an error",
};

/** The whole text of a file. @throws UserError that says what is wrong with it */
export function readTextFile(file: string, { option, wanted }: Asked): string {
  const named = option ? `${option} ${file}` : file;
  const bytes = reading(file, { option, wanted }, () => {
    const found = statSync(file);
    if (found.isDirectory()) throw new UserError(`${named} is a folder, not ${wanted}.`);
    return readFileSync(file);
  });
  if (bytes[0] === 0xff && bytes[1] === 0xfe) throw new UserError(`${named} is in UTF-16: save it as UTF-8.`);
  if (!isUtf8(bytes) || bytes.includes(0))
    throw new UserError(`${named} is not ${wanted}: it is a binary file, not text.`);
  return bytes.toString("utf8");
}

/** What lies at `place`; undefined for nothing. @throws UserError when that cannot be known */
export function whatIsAt(place: string, asked: Asked): Stats | undefined {
  return reading(place, asked, () => statSync(place, { throwIfNoEntry: false }));
}

/** @throws UserError for each way in which reading can be refused */
export function reading<Result>(file: string, { option, wanted }: Asked, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const named = option ? `${option} ${file}` : file;
    const noun = wanted.replace(/^an? /, "");
    if (code === "ENOENT") throw new UserError(`There is no ${noun} at ${named}.`);
    if (code === "ENOTDIR")
      throw new UserError(`There is no ${noun} at ${named}: a part of this path is a file, not a folder.`);
    if (PROBLEMS[code]) throw new UserError(`${named} cannot be read: ${PROBLEMS[code]} (${code}).`);
    throw error;
  }
}
