import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

/**
 * A file that gets its name when it is committed: readers see either the old contents or the complete new ones. Until then it has a
 * temporary name in the same folder. Disposal without `commit` removes it.
 */
export class NewFile {
  readonly handle: number;
  readonly #file: string;
  readonly #temporary: string;
  #isOpen = true;

  constructor(file: string) {
    this.#file = file;
    // A short name, because the file's own name may already have the maximum length.
    this.#temporary = path.join(path.dirname(file), `.${randomUUID().slice(0, 13)}.tmp`);
    this.handle = openSync(this.#temporary, "wx");
  }

  /** `durable`: flushes the contents to the disk before the rename, so that a power failure leaves the old file or the new one. */
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
