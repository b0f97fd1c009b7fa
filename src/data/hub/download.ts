import { createHash, type Hash } from "node:crypto";
import { createReadStream, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { formatBytes } from "../../base/bytes.ts";
import { makeFolder } from "../../base/folders.ts";
import { withLock } from "../../runtime/setup/with-lock.ts";
import type { ModelCache } from "./cache.ts";
import { HubError } from "./errors.ts";
import { type Hub, request, withRetries } from "./request.ts";

/** A file of a model, as the hub lists it. */
export interface HubFile {
  /** With `/` between folders. */
  path: string;
  /** Bytes. */
  size: number;
  /** The name of its content in the cache: SHA-256 of a large file (LFS), git's blob hash (SHA-1) of a small one. */
  hash: string;
}

/** Where a file is downloaded from. */
export interface Source {
  hub: Hub;
  /** The model, `org/name`. */
  name: string;
  commit: string;
}

/**
 * Downloads a file's content into the cache, unless it is there. The bytes go to a temporary name, which is kept when the transfer
 * is cut, so that the next try continues it; the content gets its name when its hash is right. Processes that want the same
 * content wait for the first. `onBytes` hears the bytes that are there.
 *
 * The transfer is plain HTTP with ranges: the hub redirects large files to its storage. Xet's protocol is not used, because it
 * needs more hosts.
 *
 * @throws HubError
 */
export async function downloadBlob(
  source: Source,
  file: HubFile,
  cache: ModelCache,
  onBytes: (bytes: number) => void,
): Promise<void> {
  if (cache.hasBlob(file.hash, file.size)) return onBytes(file.size);
  const target = cache.blobFile(file.hash);
  makeFolder(path.dirname(target));
  await withLock(target, ignore, async () => {
    if (!cache.hasBlob(file.hash, file.size)) {
      const unfinished = cache.unfinishedFile(file.hash);
      const found = await transfer(source, file, unfinished, onBytes);
      if (found !== file.hash) {
        rmSync(unfinished);
        throw new HubError(
          "damaged",
          `${file.path} of ${source.name} has hash ${found} and not ${file.hash}, which the hub states: ` +
            "the download was deleted; try again, or check the proxy or mirror in between",
        );
      }
      renameSync(unfinished, target);
    }
    onBytes(file.size);
  });
}

const ignore = () => {};

/** Receives what is missing of a file; gives the hash of all of it. */
async function transfer(
  { hub, name, commit }: Source,
  file: HubFile,
  unfinished: string,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const address = `${hub.endpoint}/${name}/resolve/${commit}/${file.path.split("/").map(encodeURIComponent).join("/")}`;
  const asked = { name, revision: commit, file: file.path };
  if ((statSync(unfinished, { throwIfNoEntry: false })?.size ?? 0) > file.size) rmSync(unfinished);
  let hash = await hashOf(file, unfinished);
  await using output = await open(unfinished, existsSync(unfinished) ? "r+" : "w");
  let done = (await output.stat()).size;
  // A server that sends the same bytes again and again makes no progress.
  let most = done;
  const receive = async (progressed: () => void) => {
    if (done === file.size) return;
    const init = { headers: { range: `bytes=${done}-`, "accept-encoding": "identity" } };
    await request(hub, asked, address, init, async (response, alive) => {
      if (response.status !== 206 || !startsAt(response, done)) {
        // The server sends the file from its start, or nothing of it.
        done = 0;
        hash = newHash(file);
        await output.truncate(0);
        if (response.status !== 200) throw new HubError("network", "the server does not continue it");
      }
      for await (const chunk of response.body ?? []) {
        if (done + chunk.length > file.size) {
          await output.truncate(0);
          throw new HubError(
            "damaged",
            `${file.path} of ${name} is longer than the ${file.size} bytes that the hub states`,
          );
        }
        await writeAll(output, chunk, done);
        hash.update(chunk);
        done += chunk.length;
        alive();
        if (done > most) progressed();
        most = Math.max(most, done);
        onBytes(done);
      }
    });
    if (done < file.size) throw new HubError("network", "the server ended it early");
  };
  try {
    await withRetries(hub, receive);
  } catch (error) {
    if (!(error instanceof HubError) || error.failure !== "network") throw error;
    const share = `${formatBytes(done)} of ${formatBytes(file.size)}`;
    const message = `the transfer of ${file.path} of ${name} was cut at ${share}, which the next call continues`;
    throw new HubError("network", `${message}: ${error.message}`, { cause: error });
  }
  return hash.digest("hex");
}

function startsAt(response: Response, from: number): boolean {
  return Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1]) === from;
}

async function writeAll(output: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await output.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
  }
}

/** Git hashes a header with the size before the contents. */
function newHash({ hash, size }: HubFile): Hash {
  return hash.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
}

/** The hash so far, of what an earlier transfer has left. */
async function hashOf(file: HubFile, unfinished: string): Promise<Hash> {
  const hash = newHash(file);
  if (existsSync(unfinished)) for await (const chunk of createReadStream(unfinished)) hash.update(chunk);
  return hash;
}
