import { readFileSync } from "node:fs";
import module from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** An installed copy of this library. */
interface Copy {
  version: string;
  folder: string;
}

interface Internals {
  /** Node 22.15, 23.5 and later. */
  registerHooks?(hooks: {
    resolve(specifier: string, context: object, next: (specifier: string, context: object) => { url: string }): object;
  }): void;
  /** What CommonJS' `require` calls. */
  _resolveFilename(request: string, ...rest: unknown[]): string;
}

const loaded = Symbol.for("halftone.copy");
const own = copyAt(fileURLToPath(new URL("../../../", import.meta.url)))!;

/**
 * Makes this copy the only one that the process loads, because each would change the same tfjs. A later import of another copy of
 * the same version gives this one; on Node before 22.15 only a `require` does.
 *
 * @throws Error if the process has loaded another copy
 */
export function claimProcess(): void {
  const first = Reflect.get(globalThis, loaded) as Copy | undefined;
  if (first && first.folder !== own.folder) throw new Error(conflict(first));
  Object.defineProperty(globalThis, loaded, { value: own, configurable: true });
  const internals = module as unknown as Internals;
  const resolve = internals._resolveFilename;
  internals._resolveFilename = function (this: unknown, ...request) {
    return redirected(resolve.apply(this, request));
  };
  internals.registerHooks?.({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      if (!found.url.startsWith("file:")) return found;
      const file = fileURLToPath(found.url);
      const instead = redirected(file);
      return instead === file ? found : { ...found, url: pathToFileURL(instead).href };
    },
  });
}

function conflict(first: Copy): string {
  const both = `halftone ${own.version} in ${own.folder} cannot be loaded beside halftone ${first.version} in ${first.folder}`;
  const advice = first.version === own.version ? "use Node 22.15 or newer, or install one copy" : "install one version";
  return `${both}, because both change the same tfjs: ${advice}`;
}

/** This copy's file in place of the same file of another copy of the same version. */
function redirected(file: string): string {
  const built = `${path.sep}dist${path.sep}src${path.sep}`;
  const end = file.lastIndexOf(built);
  if (end < 0 || file.startsWith(own.folder)) return file;
  const copy = copyAt(file.slice(0, end));
  return copy?.version === own.version ? path.join(own.folder, file.slice(end)) : file;
}

/** The copy of this library in a folder; undefined if the folder has another package. */
function copyAt(folder: string): Copy | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
      name?: string;
      version: string;
    };
    return name === "halftone" ? { version, folder: path.join(folder, path.sep) } : undefined;
  } catch {
    return undefined;
  }
}
