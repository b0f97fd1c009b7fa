import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

/**
 * A file that appears under its name when it is committed: readers see the old contents or the new ones, never a part. Until then it
 * has a temporary name beside its own. Disposal without `commit` removes it.
 */
export class NewFile {
  readonly handle: number;
  readonly #file: string;
  readonly #temporary: string;
  #isOpen = true;

  constructor(file: string) {
    this.#file = file;
    // A short name: the file's own may be as long as names may be.
    this.#temporary = path.join(path.dirname(file), `.${randomUUID().slice(0, 13)}.tmp`);
    this.handle = openSync(this.#temporary, "wx");
  }

  /** `durable`: the contents are on the disk before the name is, so that a power cut leaves the old file or the new one too. */
  commit({ durable }: { durable: boolean }): void {
    if (durable) fsyncSync(this.handle);
    this.#close();
    renameSync(this.#temporary, this.#file);
  }

  [Symbol.dispose](): void {
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.handle);
    this.#isOpen = false;
  }
}
