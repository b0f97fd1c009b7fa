import { mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { makeFolder, unwritableCache } from "../../base/folders.ts";
import { withLock } from "./with-lock.ts";

/**
 * Runs `make`, which creates a file or folder of the cache, in one process at a time of those that want the same one. `make` checks
 * whether another process has created it meanwhile, works in an empty folder beside it, and renames the complete result. The
 * folder is removed afterwards.
 */
export async function makeCacheEntry<Result>(entry: string, make: (work: string) => Promise<Result>): Promise<Result> {
  const folder = path.dirname(entry);
  makeFolder(folder);
  return withLock(
    entry,
    () => {},
    async () => {
      const work = mkdtempSync(path.join(folder, ".making-"));
      try {
        return await make(work);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    },
  );
}

/**
 * As `makeCacheEntry`, for an entry that is downloaded when a program asks for it.
 *
 * @throws Error when the cache cannot be written
 */
export async function downloadIntoCache<Result>(
  entry: string,
  download: (work: string) => Promise<Result>,
): Promise<Result> {
  try {
    return await makeCacheEntry(entry, download);
  } catch (error) {
    const message = unwritableCache(error, path.dirname(entry), "HALFTONE_CACHE");
    throw message === undefined ? error : new Error(message, { cause: error });
  }
}
