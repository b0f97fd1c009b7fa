import Module, { createRequire } from "node:module";
import { refusePlugNPlay } from "../../base/plug-n-play.ts";

refusePlugNPlay();

export const require = createRequire(import.meta.url);

const node = "@tensorflow/tfjs-node";
const nodeGpu = "@tensorflow/tfjs-node-gpu";
/** tfjs and its core are the packages that tfjs-node-gpu itself has loaded, independent of where they are installed. */
export const requireAsTfjs = createRequire(require.resolve(nodeGpu));

type Resolve = (request: string, parent?: { filename?: string | null }, ...rest: unknown[]) => string;

/** The package that tfjs-node-gpu asks for the path of its binding. It is not installed with Halftone. */
const finder = "@mapbox/node-pre-gyp";

/**
 * Makes every CommonJS `require` of these names return the modules loaded here. danfojs-node requires `@tensorflow/tfjs-node`, and
 * a notebook's folder may have its own tfjs. Each would load a second engine, whose tensors the first cannot use.
 */
export function shareModules(): void {
  const loader = Module as unknown as { _resolveFilename: Resolve };
  const resolve = loader._resolveFilename;
  const shared = new Map([
    [node, require.resolve(nodeGpu)],
    [nodeGpu, require.resolve(nodeGpu)],
    ["@tensorflow/tfjs", requireAsTfjs.resolve("@tensorflow/tfjs")],
    ["@tensorflow/tfjs-core", requireAsTfjs.resolve("@tensorflow/tfjs-core")],
  ]);
  // ES imports do not use `require`. They find the second folder that npm makes for the alias, so its modules are replaced too.
  const alias = resolvedIfThere(node);
  if (alias) seedLazily(alias, () => require(nodeGpu));
  loader._resolveFilename = function (this: unknown, request, parent, ...rest) {
    if (request === finder && parent?.filename === require.resolve(nodeGpu)) return finder;
    return shared.get(request) ?? resolve.call(this, request, parent, ...rest);
  };
}

/** Makes tfjs-node-gpu load this binding. */
export const provideBinding = (file: string): void => seed(finder, { find: () => file });

/** Makes `require` of a file return `exports` without reading the file. */
export function seed(file: string, exports: unknown): void {
  const module = new Module(file);
  module.filename = file;
  module.loaded = true;
  module.exports = exports;
  require.cache[file] = module;
}

function seedLazily(file: string, exports: () => unknown): void {
  seed(file, undefined);
  Object.defineProperty(require.cache[file], "exports", { get: exports, enumerable: true, configurable: true });
}

function resolvedIfThere(name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
