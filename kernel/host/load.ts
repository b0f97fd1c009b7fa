import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { CellImport } from "../compile/imports.ts";
import { sendEvent } from "./outbox.ts";

/** The names that an import statement binds. Those that the cell uses must exist. */
type LoadRequest = [imported: string, local: string, used: boolean][];
type Namespace = Record<string, unknown>;

/** Loads modules for cells: from the notebook's folder, then from the kernel's own packages. */
export class Loader {
  readonly #base: string;
  readonly meta: Record<string, unknown>;

  constructor(cwd: string) {
    this.#base = pathToFileURL(`${cwd}/[cell].ts`).href;
    this.meta = {
      url: this.#base,
      dirname: cwd,
      filename: `${cwd}/[cell].ts`,
      resolve: (specifier: string) => this.resolve(specifier),
    };
    Object.defineProperty(globalThis, "require", {
      value: createRequire(this.#base),
      configurable: true,
      writable: true,
      enumerable: false,
    });
  }

  resolve(specifier: string): string {
    if (specifier === "tslab") return new URL("./tslab.js", import.meta.url).href;
    const resolve = import.meta.resolve as (specifier: string, parent?: string) => string;
    try {
      return resolve(specifier, this.#base);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
      try {
        return resolve(specifier);
      } catch {
        throw error;
      }
    }
  }

  async load(
    _cell: number,
    specifier: string,
    request: LoadRequest,
    attributes?: ImportAttributes,
  ): Promise<Namespace> {
    const namespace = await this.importUrl(this.resolve(specifier), attributes);
    const missing: CellImport[] = [];
    for (let index = 0; index < request.length; index++) {
      const [imported, local, used] = request[index]!;
      if (imported in namespace) continue;
      if (used) throw new SyntaxError(`The module '${specifier}' does not provide an export named '${imported}'`);
      missing[missing.length] = { specifier, names: [{ imported, local }] };
    }
    if (missing.length > 0) sendEvent({ type: "missing", imports: missing });
    return namespace;
  }

  dynamic(_cell: number): (specifier: string, options?: { with?: ImportAttributes }) => Promise<Namespace> {
    return async (specifier, options) => this.importUrl(this.resolve(`${specifier}`), options?.with);
  }

  importUrl(url: string, attributes?: ImportAttributes): Promise<Namespace> {
    const json = attributes === undefined && url.endsWith(".json") ? { type: "json" } : attributes;
    return import(url, json ? { with: json } : undefined) as Promise<Namespace>;
  }
}
