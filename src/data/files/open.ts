import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** The bytes of a file, decompressed where its name ends in `.gz`. */
export function openFile(path: string): Readable {
  const file = createReadStream(path);
  if (!path.endsWith(".gz")) return file;
  const unzip = createGunzip();
  file.once("error", (error) => unzip.destroy(error));
  return file.pipe(unzip);
}
