import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../../runtime/setup/cache.ts";
import { downloadIntoCache } from "../../runtime/setup/cache-entry.ts";
import { lastLine, runTool } from "../../runtime/setup/run-tool.ts";

/** A version of an npm package, and what its file must hash to. */
export interface NpmPackage {
  name: string;
  version: string;
  /** SHA-512, base64. */
  sha512: string;
  megabytes: number;
}

/**
 * The file of an npm package, gzipped tar: from the cache of Halftone, into which npm downloads it the first time.
 *
 * @throws Error when npm is missing or cannot download it, the file's hash is wrong, or the cache cannot be written
 */
export async function npmPackage(wanted: NpmPackage, signal?: AbortSignal): Promise<Buffer> {
  const base = `${wanted.name.replace("@", "").replace("/", "-")}-${wanted.version}.tgz`;
  const file = path.join(cacheFolder(), "packages", base);
  const kept = () => contentsOf(file, wanted.sha512);
  return kept() ?? downloadIntoCache(file, async (work) => kept() ?? download(wanted, work, file, signal));
}

/** The contents of a file that is there and has the hash. */
function contentsOf(file: string, sha512: string): Buffer | undefined {
  const contents = existsSync(file) ? readFileSync(file) : undefined;
  return contents && hashOf(contents) === sha512 ? contents : undefined;
}

async function download(
  { name, version, sha512, megabytes }: NpmPackage,
  work: string,
  file: string,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const what = `npm could not download ${name} ${version} (${megabytes} MB)`;
  const run = runTool("npm", ["pack", `${name}@${version}`, "--silent", "--pack-destination", work], {
    cwd: work,
    signal,
  });
  const { ok, errorText } = await run.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`npm is missing, which downloads ${name}: install it with Node.js`, { cause: error });
  });
  const made = readdirSync(work).find((each) => each.endsWith(".tgz"));
  if (!ok || made === undefined)
    throw new Error(`${what}: ${lastLine(errorText)}. Check the network and npm's registry`);
  const contents = readFileSync(path.join(work, made));
  const found = hashOf(contents);
  if (found !== sha512) {
    throw new Error(
      `${what}: its SHA-512 is ${found} and not ${sha512}; the download was deleted, check npm's registry`,
    );
  }
  renameSync(path.join(work, made), file);
  return contents;
}

function hashOf(contents: Buffer): string {
  return createHash("sha512").update(contents).digest("base64");
}
