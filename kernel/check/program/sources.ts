import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";

const relative = /(?:\bfrom|\bimport|\brequire)(?:\s*\(\s*|\s*)["'](\.{1,2}\/[^"'\n]+)["']/g;
const endings = ["", ".ts", ".tsx", ".mts", ".js", ".mjs", ".json", "/index.ts", "/index.js"];

/** The user's own files that cells import, and what those import in turn: the language server does not watch them. */
export class Sources {
  readonly #stamps = new Map<string, string>();
  /** Those of which the server has not been told. */
  readonly #changed: string[] = [];

  /** Whether files changed since the last look. From now on those that `text` imports from `folder` are watched too. */
  look(text: string, folder: string): boolean {
    const before = this.#changed.length;
    for (const [file, stamp] of this.#stamps) {
      const now = stampOf(file);
      if (now === stamp) continue;
      this.#stamps.set(file, now);
      this.#changed.push(file);
      if (now !== "") this.#follow(read(file), dirname(file));
    }
    this.#follow(text, folder);
    return this.#changed.length > before;
  }

  /** The files that changed since they were last taken. */
  takeChanged(): string[] {
    return this.#changed.splice(0);
  }

  #follow(text: string, folder: string): void {
    for (const { 1: specifier } of text.matchAll(relative)) {
      const file = find(resolve(folder, specifier!));
      if (file === undefined || this.#stamps.has(file)) continue;
      this.#stamps.set(file, stampOf(file));
      if (extname(file) !== ".json") this.#follow(read(file), dirname(file));
    }
  }
}

function find(path: string): string | undefined {
  const stem = path.replace(/\.([cm]?)js$/, ".$1ts");
  for (const each of [path, stem]) {
    for (const ending of endings) {
      const file = each + ending;
      if (existsSync(file) && statSync(file).isFile()) return file;
    }
  }
  return undefined;
}

function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? `${found.mtimeMs} ${found.size}` : "";
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
