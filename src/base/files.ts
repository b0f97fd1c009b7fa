import { randomUUID } from "node:crypto";
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolder, whyRefused } from "./folders.ts";
import { UserError } from "./user-error.ts";

/** Writes under a temporary name beside `file`, then renames, so that a reader sees the old text or the new, never half. */
export function writeWhole(file: string, text: string): void {
  refusing(file, () => {
    const temporary = temporaryIn(path.dirname(file));
    try {
      makeFolder(path.dirname(file));
      writeFileSync(temporary, text);
      renameSync(temporary, file);
    } catch (error) {
      removeIfThere(temporary);
      throw error;
    }
  });
}

/**
 * Refuses what `writeWhole` will refuse, so that no work is lost to a name that is too long or a folder that cannot be written.
 * @throws UserError
 */
export function requireWritable(file: string): void {
  refusing(file, () => {
    makeFolder(path.dirname(file));
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    const temporary = temporaryIn(path.dirname(file));
    writeFileSync(temporary, "");
    removeIfThere(temporary);
  });
}

/** Does what writes to `place`; the operating system's refusal becomes a sentence with `advice`. */
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

/** A short name: the file's own may be as long as names may be. */
function temporaryIn(folder: string): string {
  return path.join(folder, `.${randomUUID().slice(0, 13)}.tmp`);
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its folder is what could not be made: then there is nothing to remove.
  }
}
