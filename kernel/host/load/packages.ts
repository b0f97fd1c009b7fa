/** Resolves packages from a folder other than the notebook's: those that a lock installed, and no others. */
import module, { isBuiltin } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { apply, exec, indexOf, intrinsics, startsWith } from "../primordials.ts";

interface Parent {
  filename?: string;
}
interface Internals {
  Module: new (id: string) => Parent & { paths: string[] };
  _resolveFilename(
    request: string,
    parent: Parent | undefined,
    isMain?: boolean,
    options?: { paths?: string[] },
  ): string;
  registerHooks?(hooks: {
    resolve(
      specifier: string,
      context: { parentURL?: string },
      next: (specifier: string, context: object) => { url: string },
    ): object;
  }): void;
}

const builtFolder = fileURLToPath(new URL("../../../", import.meta.url));

/** Whether the specifier names a package, not a file, a URL, a Node module or an entry of `imports`. */
export function isPackage(specifier: string): boolean {
  return exec(/^([./#]|[a-z]+:)/i, specifier) === null && !isBuiltin(specifier);
}

/** The parent for resolving `specifier`: the packages' folder when one of the user's files imports a package. */
export function parentOf(specifier: string, parentUrl: string | undefined, packagesUrl: string): string | undefined {
  if (parentUrl === undefined || !startsWith(parentUrl, "file:") || !isPackage(specifier)) return parentUrl;
  return isUserFile(fileURLToPath(parentUrl)) ? packagesUrl : parentUrl;
}

/** Rejects packages from the folders above, which Node also searches, because they are not in the lock. */
export function requireInside(url: string, packagesUrl: string): void {
  if (startsWith(url, new intrinsics.URL("node_modules/", packagesUrl).href)) return;
  const error: NodeJS.ErrnoException = new intrinsics.Error(`Cannot find it in ${fileURLToPath(packagesUrl)}`);
  error.code = "ERR_MODULE_NOT_FOUND";
  throw error;
}

/** Makes cells and the user's files find packages only in that folder. Their dependencies are installed beside them. */
export function usePackagesOf(packagesUrl: string): void {
  const { Module, registerHooks } = module as unknown as Internals;
  const filename = fileURLToPath(packagesUrl);
  const there = new Module(filename);
  there.filename = filename;
  there.paths = [join(dirname(filename), "node_modules")];
  const loader = module as unknown as Internals;
  const resolve = loader._resolveFilename;
  // `require` calls this function regardless of hooks, and passes its own parent.
  loader._resolveFilename = function (this: unknown, request, parent, isMain, options) {
    const from = parent?.filename;
    const moved = options?.paths === undefined && from !== undefined && isUserFile(from) && isPackage(request);
    return apply(resolve, this, [request, moved ? there : parent, isMain, options]) as string;
  };
  registerHooks?.({
    resolve(specifier, context, next) {
      const parentURL = parentOf(specifier, context.parentURL, packagesUrl);
      if (parentURL !== packagesUrl) return next(specifier, context);
      const found = next(specifier, { ...context, parentURL });
      requireInside(found.url, packagesUrl);
      return found;
    },
  });
}

function isUserFile(file: string): boolean {
  return indexOf(file, `${sep}node_modules${sep}`) === -1 && !startsWith(file, builtFolder);
}
