import { readFileSync, statSync } from "node:fs";
import module, { createRequire } from "node:module";
import { dirname, extname, sep } from "node:path";
import { apply, defineProperty, indexOf, keysOf, Table } from "../primordials.ts";
import * as tslab from "./tslab.ts";

type Compile = (code: string, filename: string) => void;
interface CommonModule {
  _compile: Compile;
}
type Extensions = Record<string, (module: CommonModule, filename: string) => void>;

/** A cell's `require`: resolves from the notebook's folder, then from `fallbacks`, compiles TypeScript, and reloads edited files. */
export function requireFrom(url: string, fallbacks: readonly string[]): NodeJS.Require {
  const original = createRequire(url);
  const resolve = original.resolve;
  const others = fallbacks.map((each) => createRequire(each));
  const stamps: Table<string, number> = new Table();
  compileTypescript(original);
  const fresh = (specifier: string): unknown => {
    if (specifier === "tslab") return tslab;
    forgetEdited(original.cache, stamps);
    let loaded: unknown;
    try {
      loaded = original(specifier);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "MODULE_NOT_FOUND" || indexOf(message, `'${specifier}'`) === -1) throw error;
      const other = others.find((each) => resolves(each, specifier));
      if (!other) throw error;
      loaded = other(specifier);
    }
    remember(original.cache, stamps);
    return loaded;
  };
  defineProperty(fresh, "resolve", { value: resolve, enumerable: true });
  defineProperty(fresh, "cache", { value: original.cache, enumerable: true });
  defineProperty(fresh, "extensions", { value: original.extensions, enumerable: true });
  return fresh as unknown as NodeJS.Require;
}

function resolves(from: NodeJS.Require, specifier: string): boolean {
  try {
    from.resolve(specifier);
    return true;
  } catch {
    return false;
  }
}

/** Drops all of the user's files from the cache when one has changed, because any may hold exports of the old version. */
function forgetEdited(cache: NodeJS.Dict<NodeModule>, stamps: Table<string, number>): void {
  let edited = false;
  stamps.forEach((stamp, file) => {
    if (stampOf(file) !== stamp) edited = true;
  });
  if (!edited) return;
  stamps.forEach((_, file) => {
    delete cache[file];
  });
  stamps.clear();
}

function remember(cache: NodeJS.Dict<NodeModule>, stamps: Table<string, number>): void {
  const files = keysOf(cache);
  for (let index = 0; index < files.length; index++) {
    const file = files[index]!;
    if (!stamps.has(file) && indexOf(file, `${sep}node_modules${sep}`) === -1) stamps.set(file, stampOf(file));
  }
}

function stampOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Compiles a file for `require("../x.ts")`. esbuild writes CommonJS, whether the file has `import` or not. */
function compileTypescript(original: NodeJS.Require): void {
  const extensions = original.extensions as unknown as Extensions;
  if ("registerHooks" in module) return;
  resolveTypescript();
  for (const extension of [".ts", ".tsx", ".cts", ".mts", ".jsx"]) {
    extensions[extension] = (loaded, filename) => {
      const require = createRequire(import.meta.url);
      const { transformSync } = require("esbuild") as typeof import("esbuild");
      const loader = extname(filename).endsWith("x") ? (extname(filename).slice(1) as "tsx" | "jsx") : "ts";
      const source = readFileSync(filename, "utf8");
      const tsconfig = require("../../compile/tsconfig.js") as typeof import("../../compile/tsconfig.ts");
      const { options = {} } = tsconfig.readTsconfig(dirname(filename)) ?? {};
      const { code } = transformSync(source, {
        loader,
        format: "cjs",
        target: "es2023",
        sourcefile: filename,
        ...(tsconfig.jsxOptions(options).factory ? {} : { jsx: "automatic" }),
        tsconfigRaw: { compilerOptions: options },
      });
      apply(loaded._compile, loaded, [code, filename]);
    };
  }
}

/** Tries further file names, because `./x.js` and `./x` may mean `./x.ts`. */
function resolveTypescript(): void {
  const loader = module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string };
  const resolve = loader._resolveFilename;
  loader._resolveFilename = function (this: unknown, request, ...rest) {
    try {
      return apply(resolve, this, [request, ...rest]) as string;
    } catch (error) {
      if (request[0] !== ".") throw error;
      for (const candidate of [request.replace(/\.([mc]?)jsx?$/, ".$1ts"), `${request}.ts`, `${request}.tsx`]) {
        if (candidate === request) continue;
        try {
          return apply(resolve, this, [candidate, ...rest]) as string;
        } catch {
          // Try the next candidate, or throw the first error.
        }
      }
      throw error;
    }
  };
}
