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

/** Whether it is a package's name: not a file, a URL, one of Node's own modules or an entry of `imports`. */
export function isPackage(specifier: string): boolean {
  return exec(/^([./#]|[a-z]+:)/i, specifier) === null && !isBuiltin(specifier);
}

/** Where `specifier` is looked up from: the packages' folder, when one of the user's files asks for a package. */
export function parentOf(specifier: string, parentUrl: string | undefined, packagesUrl: string): string | undefined {
  if (parentUrl === undefined || !startsWith(parentUrl, "file:") || !isPackage(specifier)) return parentUrl;
  return isUserFile(fileURLToPath(parentUrl)) ? packagesUrl : parentUrl;
}

/** Node also searches the folders above, which may have packages that are not in the lock. */
export function requireInside(url: string, packagesUrl: string): void {
  if (startsWith(url, new intrinsics.URL("node_modules/", packagesUrl).href)) return;
  const error: NodeJS.ErrnoException = new intrinsics.Error(`Cannot find it in ${fileURLToPath(packagesUrl)}`);
  error.code = "ERR_MODULE_NOT_FOUND";
  throw error;
}

/** From now on cells and the user's files find packages there alone; what packages need in turn lies beside them. */
export function usePackagesOf(packagesUrl: string): void {
  const { Module, registerHooks } = module as unknown as Internals;
  const filename = fileURLToPath(packagesUrl);
  const there = new Module(filename);
  there.filename = filename;
  there.paths = [join(dirname(filename), "node_modules")];
  const loader = module as unknown as Internals;
  const resolve = loader._resolveFilename;
  // `require` asks this whatever hooks there are, and passes it its own parent.
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
