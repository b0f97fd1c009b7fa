import Module, { createRequire } from "node:module";

/** Gives names that resolve to the one tfjs in this process, whoever asks. */
const own = createRequire(import.meta.url);
const shared = ["@tensorflow/tfjs", "@tensorflow/tfjs-core", "@tensorflow/tfjs-node-gpu"];

type Resolve = (request: string, ...rest: unknown[]) => string;

/**
 * danfojs-node asks for `@tensorflow/tfjs-node`, a notebook's folder may hold a tfjs of its own: each would be a second
 * engine whose tensors the first cannot take. Every CommonJS `require` of these names gives the modules loaded here.
 */
export function shareModules(): void {
  const loader = Module as unknown as { _resolveFilename: Resolve };
  const resolve = loader._resolveFilename;
  const files = new Map(shared.map((name) => [name, own.resolve(name)]));
  files.set("@tensorflow/tfjs-node", own.resolve("@tensorflow/tfjs-node-gpu"));
  loader._resolveFilename = function (this: unknown, request, ...rest) {
    return files.get(request) ?? resolve.call(this, request, ...rest);
  };
}

/** Makes `require` of a file give `exports`, without reading the file. */
export function seed(file: string, exports: unknown): void {
  const module = new Module(file);
  module.filename = file;
  module.loaded = true;
  module.exports = exports;
  own.cache[file] = module;
}

export { own as require };
