import { statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolder, whyRefused } from "./folders.ts";
import { NewFile } from "./new-file.ts";
import { UserError } from "./user-error.ts";

/**
 * Writes a file atomically. Creates its folder if it does not exist.
 * @throws UserError if the operating system refuses the write
 */
export function writeWhole(file: string, content: string | Uint8Array, advice?: string): void {
  const write = () => {
    makeFolder(path.dirname(file));
    using created = new NewFile(file);
    writeFileSync(created.handle, content);
    created.commit({ durable: false });
  };
  refusing(file, write, advice);
}

/**
 * Checks that `writeWhole` will succeed, so that no work is lost because the name is too long or the folder is not writable.
 * @throws UserError
 */
export function requireWritable(file: string, advice?: string): void {
  const check = () => {
    makeFolder(path.dirname(file));
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    new NewFile(file)[Symbol.dispose]();
  };
  refusing(file, check, advice);
}

/** Runs `work`, which writes to `place`. A refusal by the operating system becomes a UserError that ends with `advice`. */
export function refusing<Result>(place: string, work: () => Result, advice = "choose another place with -o"): Result {
  try {
    return work();
  } catch (error) {
    const why = whyRefused(error);
    throw why === undefined
      ? error
      : new UserError(`Cannot write ${place}: ${why.meaning}; ${advice} (${why.code}).`, 1);
  }
}
