import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { installHint, networkSentence } from "../../compile/install-hint.ts";
import type { HostOptions } from "../../protocol/host.ts";
import type { CellImport } from "../../protocol/imports.ts";
import { ownDependencies } from "../../protocol/own-packages.ts";
import { placeError } from "../errors/stack.ts";
import { sendEvent } from "../io/output-buffer.ts";
import { defineProperty, endsWith, exec, intrinsics, isIn, startsWith } from "../primordials.ts";
import { findCell } from "../run/cells.ts";
import { isPackage, requireInside, usePackagesOf } from "./packages.ts";
import { requireFrom } from "./require.ts";
import { isTensorflow, needsTensorflow, readyRuntime, tensorflow } from "./tensorflow.ts";

/** An import statement. The names that the cell uses must exist. */
interface Request {
  specifier: string;
  names: [imported: string, local: string, used: boolean][];
  at?: [line: number, column: number];
}
type Namespace = Record<string, unknown>;
type Attributes = Record<string, string>;
type Local = typeof import("./local.ts");

const resolveFrom = import.meta.resolve as (specifier: string, parent?: string) => string;
const kernelUrl = import.meta.url;

/** Loads modules for cells: from the notebook's folder, then from the kernel's packages. */
export class Loader {
  readonly meta: Record<string, unknown>;
  readonly #cwd: string;
  readonly #base: string;
  /** The folder from which packages are resolved; undefined for `#base`. */
  readonly #packages: string | undefined;
  /** The notebook's own packages, which cells installed. */
  readonly #own: { folder: string; url: string };
  /** Where packages are looked for, in order, that the notebook's folder or the lock does not have. */
  readonly #fallbacks: readonly string[];
  readonly #inlineMaps: boolean;
  #local: Local | undefined;

  constructor({ cwd, packages, own, inspect = false }: Pick<HostOptions, "cwd" | "packages" | "own" | "inspect">) {
    this.#cwd = cwd;
    this.#inlineMaps = inspect;
    this.#own = { folder: own, url: pathToFileURL(`${own}/[cell].ts`).href };
    this.#fallbacks = packages === undefined ? [this.#own.url, kernelUrl] : [kernelUrl];
    if (packages !== undefined) {
      this.#packages = pathToFileURL(`${packages}/[cell].ts`).href;
      usePackagesOf(this.#packages);
    }
    const filename = `${cwd}/[cell].ts`;
    this.#base = pathToFileURL(filename).href;
    const resolve = (specifier: string) => this.resolve(specifier);
    this.meta = Object.freeze({ url: this.#base, dirname: cwd, filename, main: true, resolve });
    defineProperty(globalThis, "require", {
      value: requireFrom(this.#base, this.#fallbacks),
      configurable: true,
      writable: true,
      enumerable: false,
    });
  }

  /** `import.meta.resolve` of a cell. */
  resolve(specifier: string): string {
    if (specifier === "tslab") return new intrinsics.URL("./tslab.js", import.meta.url).href;
    try {
      if (this.#packages === undefined || !isPackage(specifier)) {
        const isOwn = isPackage(specifier) && isIn(packageName(specifier), ownDependencies(this.#own.folder));
        const parent = isOwn ? this.#own.url : this.#base;
        return fileOf(specifier, resolveFrom(specifier, parent), parent);
      }
      const url = resolveFrom(specifier, this.#packages);
      requireInside(url, this.#packages);
      return url;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
      try {
        return resolveFrom(specifier, kernelUrl);
      } catch {
        throw notFound(specifier, this.#cwd, this.#packages !== undefined);
      }
    }
  }

  /** An import statement. */
  async load(id: number, { specifier, names, at }: Request, attributes?: Attributes): Promise<Namespace> {
    try {
      const namespace = await this.#import(specifier, attributes);
      return names.length > 0 ? bind(specifier, names, namespace) : namespace;
    } catch (error) {
      const cell = findCell(id);
      if (at && cell) placeError(error, { where: cell.label, line: at[0], column: at[1], source: cell.source });
      throw error;
    }
  }

  /** `import()` in a cell. */
  dynamic(_cell: number): (specifier: unknown, options?: { with?: Attributes }) => Promise<Namespace> {
    return async (specifier, options) => this.#import(`${specifier}`, options?.with);
  }

  async #import(given: string, attributes: Attributes | undefined): Promise<Namespace> {
    if (exec(/^https?:/, given)) throw missingModule(networkSentence(given, exec));
    const specifier = withoutScheme(given);
    if (isTensorflow(specifier)) return this.#tensorflow();
    if (needsTensorflow(specifier)) await this.#tensorflow();
    const namespace = isFileLike(specifier)
      ? await this.#importFile(specifier, attributes)
      : await this.#importPackage(specifier, attributes);
    await readyRuntime();
    return namespace;
  }

  /** tfjs. A library in the notebook's folder is loaded before the kernel's, because a process can have only one. */
  #tensorflow(): Promise<Namespace> {
    return tensorflow(async () => {
      const url = this.resolve("halftone");
      if (url !== resolveFrom("halftone", kernelUrl)) await importUrl(url, undefined);
    });
  }

  async #importFile(specifier: string, attributes: Attributes | undefined): Promise<Namespace> {
    const local = await this.#locals();
    const found = local.find(specifier, fileURLToPath(this.#base));
    if (!found) return importUrl(this.#resolveFile(specifier), attributes);
    for (const each of found.packages) if (isTensorflow(each) || needsTensorflow(each)) await this.#tensorflow();
    return importUrl(found.url, attributes ?? found.attributes);
  }

  #resolveFile(specifier: string): string {
    const url = resolveFrom(specifier, this.#base);
    if (startsWith(url, "file:") && !existsSync(new intrinsics.URL(url)))
      throw missingModule(`Cannot find the file '${specifier}' from the notebook's folder ${this.#cwd}`);
    return url;
  }

  async #importPackage(specifier: string, attributes: Attributes | undefined): Promise<Namespace> {
    const local = this.#local ?? (mayMapPaths(this.#cwd) ? await this.#locals() : undefined);
    const mapped = local?.find(specifier, fileURLToPath(this.#base));
    if (mapped) return importUrl(mapped.url, attributes ?? mapped.attributes);
    const url = this.resolve(specifier);
    // A package.json's "imports" may name one of the user's files.
    if (startsWith(specifier, "#")) return this.#importFile(url, attributes);
    return importUrl(url, attributes);
  }

  async #locals(): Promise<Local> {
    if (!this.#local) {
      this.#local = await import("./local.ts");
      const { install } = this.#local;
      install({ packagesUrl: this.#packages, fallbacks: this.#fallbacks, inlineMaps: this.#inlineMaps });
    }
    return this.#local;
  }
}

/** The file of a package: also one that is named without its ending, as in `lodash/fp`, which `require` finds and `import` does not. */
function fileOf(specifier: string, url: string, parent: string): string {
  if (!startsWith(url, "file:") || !isPackage(specifier) || packageName(specifier) === specifier) return url;
  if (statSync(new intrinsics.URL(url), { throwIfNoEntry: false })?.isFile()) return url;
  try {
    return pathToFileURL(createRequire(parent).resolve(specifier)).href;
  } catch {
    return url;
  }
}

/** The package of `npm:lodash@4`. The compiler has read such specifiers where they are literals, and had them installed. */
function withoutScheme(specifier: string): string {
  const [, name, subpath = ""] = exec(/^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(\/.*)?$/, specifier) ?? [];
  return name === undefined ? specifier : name + subpath;
}

/** Whether the nearest tsconfig.json, or one that it extends, may have `paths`. */
function mayMapPaths(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    try {
      return exec(mapsPaths, readFileSync(join(at, "tsconfig.json"), "utf8")) !== null;
    } catch {
      if (dirname(at) === at) return false;
    }
  }
}

const mapsPaths = /"(?:paths|baseUrl|extends)"/;

const fileLike = /^(\.{0,2}\/|\.{1,2}$|file:)/;
function isFileLike(specifier: string): boolean {
  return exec(fileLike, specifier) !== null;
}

function importUrl(url: string, attributes: Attributes | undefined): Promise<Namespace> {
  const json = attributes === undefined && endsWith(url, ".json") ? { type: "json" } : attributes;
  return import(url, json ? { with: json } : undefined) as Promise<Namespace>;
}

const jsxRuntime = /^(.+)\/jsx(-dev)?-runtime$/;
function notFound(specifier: string, cwd: string, locked: boolean): Error {
  if (locked)
    return missingModule(
      `Cannot find '${specifier}' in the lock's packages or in the kernel's. Run with --lock to create a lock that has it.`,
    );
  const name = exec(jsxRuntime, specifier)?.[1];
  const hint = name
    ? `JSX needs the package '${name}': ${installHint(name, exec)}, or name another: /** @jsxImportSource preact */`
    : installHint(packageName(specifier), exec);
  return missingModule(
    `Cannot find '${specifier}' in the notebook's folder ${cwd} or in the kernel's packages; ${hint}`,
  );
}

function missingModule(message: string): Error {
  const error: NodeJS.ErrnoException = new intrinsics.Error(message);
  error.code = "ERR_MODULE_NOT_FOUND";
  error.name = "ModuleNotFoundError";
  return error;
}

/** The object that provides an import statement's names. A missing name may be a type, unless the cell uses it as a value. */
function bind(specifier: string, names: Request["names"], namespace: Namespace): Namespace {
  const missing: CellImport[] = [];
  let found = namespace;
  for (let index = 0; index < names.length; index++) {
    const [imported, local, used] = names[index]!;
    if (isIn(imported, namespace)) continue;
    const whole = commonJs(namespace);
    if (whole && isIn(imported, whole)) {
      if (found === namespace) found = create(namespace) as Namespace;
      defineProperty(found, imported, { value: whole[imported], enumerable: true });
    } else if (used) {
      throw new intrinsics.SyntaxError(`The module '${specifier}' does not provide an export named '${imported}'`);
    } else missing[missing.length] = { specifier, names: [{ imported, local }] };
  }
  if (missing.length > 0) sendEvent({ type: "missing", imports: missing });
  return found;
}

const { create, values } = Object;
const kernelRequire = createRequire(import.meta.url);

/** The `module.exports` of a namespace. Node detects only some of its names when it scans the file's text. */
function commonJs(namespace: Namespace): Namespace | undefined {
  const whole = namespace.default;
  if ((typeof whole !== "object" && typeof whole !== "function") || whole === null) return undefined;
  const cached = values(kernelRequire.cache);
  for (let index = 0; index < cached.length; index++) if (cached[index]?.exports === whole) return whole as Namespace;
  return undefined;
}

function packageName(specifier: string): string {
  return exec(/^(@[^/]+\/)?[^/]+/, specifier)?.[0] ?? specifier;
}
