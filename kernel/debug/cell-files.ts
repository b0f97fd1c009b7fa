/** The files by whose paths front ends and the debugger name cells: the hash of a cell's text, in a folder of this process. */
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { murmur2 } from "./murmur2.ts";

export const hashSeed = 0;
export const cellFileSuffix = ".ts";

export class CellFiles implements Disposable {
  readonly #folder = path.join(tmpdir(), `halftone-debug-${randomUUID()}`);
  #exists = false;

  /** What a path begins with, before the hash. */
  get prefix(): string {
    return this.#folder + path.sep;
  }

  pathOf(source: string): string {
    return `${this.prefix}${murmur2(source, hashSeed)}${cellFileSuffix}`;
  }

  /** Writes a cell's text to its file. Most kernels never do, because front ends ask every kernel for the prefix alone. */
  dump(source: string): string {
    if (!this.#exists) mkdirSync(this.#folder, { mode: 0o700 });
    this.#exists = true;
    const file = this.pathOf(source);
    writeFileSync(file, source);
    return file;
  }

  holds(file: string): boolean {
    return path.normalize(file).startsWith(this.prefix);
  }

  [Symbol.dispose](): void {
    if (this.#exists) rmSync(this.#folder, { recursive: true, force: true });
    this.#exists = false;
  }
}
