import { existsSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../runtime/setup/cache.ts";
import type { Notebook } from "./nbformat.ts";

/**
 * What a notebook would download: the paths inside of Halftone's cache that its metadata lists under `downloads` and that are not there
 * yet.
 */
export function missingDownloads({ metadata }: Notebook): string[] {
  const listed = Array.isArray(metadata.downloads) ? metadata.downloads : [];
  return listed.filter((each) => typeof each === "string" && !existsSync(path.join(cacheFolder(), each)));
}
