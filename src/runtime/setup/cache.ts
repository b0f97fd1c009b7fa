import { homedir } from "node:os";
import path from "node:path";

/** Where everything is kept for this user: `HALFTONE_CACHE`, else `$XDG_CACHE_HOME/halftone`, else `~/.cache/halftone`. */
export function cacheFolder(): string {
  const { HALFTONE_CACHE, XDG_CACHE_HOME } = process.env;
  if (HALFTONE_CACHE) return path.resolve(HALFTONE_CACHE);
  return path.join(XDG_CACHE_HOME || path.join(homedir(), ".cache"), "halftone");
}

export const wheelFolder = (): string => path.join(cacheFolder(), "wheels");
export const nativeFolder = (): string => path.join(cacheFolder(), "native");
/** The folder of one finished library. */
export const libraryFolder = (key: string): string => path.join(nativeFolder(), key);
