import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { getHFHubCachePath, getRepoFolderName } from "@huggingface/hub";
import { formatBytes } from "../../base/bytes.ts";
import { makeFolder } from "../../base/folders.ts";
import { NewFile } from "../../base/new-file.ts";

/** The ending of a download that is not finished. Python's client uses another, and does not resume. */
const UNFINISHED = ".halftone.incomplete";

/**
 * A model's folder in Hugging Face's cache, which Python's client reads and writes too: `blobs` has each content once, under its
 * hash; `snapshots/COMMIT` has a link for each file; `refs` has the commit of a branch or tag.
 */
export class ModelCache {
  readonly folder: string;

  /** `cacheFolder`: by default HF_HUB_CACHE, else `hub` in HF_HOME, else `~/.cache/huggingface/hub`. */
  constructor(name: string, cacheFolder: string = getHFHubCachePath()) {
    this.folder = path.join(path.resolve(cacheFolder), getRepoFolderName({ type: "model", name }));
  }

  /** The commit that a revision was when it was last downloaded. */
  commitOf(revision: string): string | undefined {
    if (isCommit(revision)) return revision;
    const file = path.join(this.folder, "refs", revision);
    return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
  }

  snapshotFolder(commit: string): string {
    return path.join(this.folder, "snapshots", commit);
  }

  blobFile(hash: string): string {
    return path.join(this.folder, "blobs", hash);
  }

  unfinishedFile(hash: string): string {
    return this.blobFile(hash) + UNFINISHED;
  }

  /** Whether a content is there. A file of another size is removed: what wrote it was stopped. */
  hasBlob(hash: string, size: number): boolean {
    const found = statSync(this.blobFile(hash), { throwIfNoEntry: false });
    if (found && found.size !== size) rmSync(this.blobFile(hash));
    return found?.size === size;
  }

  /** Links each file of a snapshot to its content, then notes the revision's commit. */
  link(revision: string, commit: string, files: readonly { path: string; hash: string }[]): void {
    const snapshot = this.snapshotFolder(commit);
    for (const { path: name, hash } of files) {
      const link = path.join(snapshot, name);
      if (existsSync(link)) continue;
      makeFolder(path.dirname(link));
      // A link whose content was removed is in the way, though it does not exist for existsSync.
      rmSync(link, { force: true });
      try {
        symlinkSync(path.relative(path.dirname(link), this.blobFile(hash)), link);
      } catch (error) {
        // Another process may have made the same link.
        if (!existsSync(link)) throw error;
      }
    }
    if (isCommit(revision)) return;
    const ref = path.join(this.folder, "refs", revision);
    makeFolder(path.dirname(ref));
    using created = new NewFile(ref);
    writeFileSync(created.handle, commit);
    created.commit({ durable: false });
  }

  /** What the cache has of the model, to end a message with. */
  describe(): string {
    const names = (folder: string) =>
      existsSync(path.join(this.folder, folder)) ? readdirSync(path.join(this.folder, folder)) : [];
    const commits = names("snapshots").map((commit) => commit.slice(0, 12));
    const unfinished = names("blobs")
      .filter((name) => name.endsWith(UNFINISHED))
      .map((name) => statSync(path.join(this.folder, "blobs", name), { throwIfNoEntry: false })?.size ?? 0);
    const parts = [
      commits.length > 0 && `has ${commits.length === 1 ? "commit" : "commits"} ${commits.join(", ")}`,
      unfinished.length > 0 &&
        `has ${formatBytes(unfinished.reduce((sum, size) => sum + size, 0))} of an unfinished download`,
    ].filter(Boolean);
    return `the cache ${this.folder} ${parts.join(" and ") || "has nothing of it"}`;
  }
}

/** Whether a revision is a whole commit, which never changes its contents. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}
