import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";

const relative = /(?:\bfrom|\bimport|\brequire)(?:\s*\(\s*|\s*)["'](\.{1,2}\/[^"'\n]+)["']/g;
const endings = ["", ".ts", ".tsx", ".mts", ".js", ".mjs", ".json", "/index.ts", "/index.js"];

/** Watches the user's files that cells import directly or indirectly, because the language server does not watch them. */
export class Sources {
  readonly #stamps = new Map<string, string>();
  /** Changed files that have not been reported to the server. */
  readonly #changed: string[] = [];

  /** Whether files changed since the last call. Also starts to watch the files that `text` imports from `folder`. */
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

  /** Returns the files that changed since the last call. */
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
