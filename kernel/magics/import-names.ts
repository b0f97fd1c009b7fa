import { createRequire } from "node:module";
import { importLine, libraryExports } from "./library-exports.ts";

/** Node's modules in the order in which a name is looked for. */
const modules = [
  "fs/promises",
  "fs",
  "path",
  "os",
  "url",
  "util",
  "crypto",
  "perf_hooks",
  "timers/promises",
  "child_process",
  "events",
  "stream",
  "zlib",
  "readline",
  "worker_threads",
  "http",
  "https",
  "assert",
];
const require = createRequire(import.meta.url);

/**
 * The statement that imports these names: exports of halftone, exports of Node's modules, or Node's modules themselves. A name that
 * neither has is imported from halftone, so that the type checker tells the closest one.
 */
export function importsOf(names: readonly string[]): string {
  return names.map(importOf).join("; ");
}

function importOf(name: string): string {
  const kind = libraryExports().get(name);
  if (kind !== undefined) return importLine(name, kind);
  const module = modules.find((each) => Object.hasOwn(require(`node:${each}`) as object, name));
  if (module !== undefined) return `import { ${name} } from "node:${module}"`;
  if (modules.includes(name)) return `import * as ${name} from "node:${name}"`;
  return importLine(name, "function");
}
