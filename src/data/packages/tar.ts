import { gunzipSync } from "node:zlib";

/** A file in a tar archive. */
export interface TarFile {
  path: string;
  contents: Buffer;
}

const BLOCK = 512;

/** The files of a gzipped tar archive (POSIX ustar), one after the other. */
export function* tarFiles(gzipped: Buffer): Generator<TarFile> {
  const archive = gunzipSync(gzipped);
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    const field = (from: number, length: number) => {
      const bytes = header.subarray(from, from + length);
      const end = bytes.indexOf(0);
      return bytes.toString("utf8", 0, end < 0 ? length : end);
    };
    const name = field(0, 100);
    // Two empty blocks end an archive.
    if (name === "") return;
    const size = Number.parseInt(field(124, 12), 8) || 0;
    const type = field(156, 1);
    const prefix = field(345, 155);
    if (type === "0" || type === "") {
      yield {
        path: prefix ? `${prefix}/${name}` : name,
        contents: archive.subarray(at + BLOCK, at + BLOCK + size),
      };
    }
    at += BLOCK + BLOCK * Math.ceil(size / BLOCK);
  }
}
