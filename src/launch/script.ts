// The process of a worker that runs a script: `node script.js SCRIPT ARGUMENTS`. Files of the user may be TypeScript, as in a notebook.
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { installHooks } from "../../kernel/host/load/modules/install.ts";

const [script, ...args] = process.argv.slice(2);
const file = path.resolve(script!);
new Worker(new URL("./launcher-watch.js", import.meta.url), { execArgv: [] }).unref();
// Packages that cells installed are of notebooks alone.
installHooks({ packagesUrl: undefined, fallbacks: [import.meta.url], inlineMaps: false });
process.argv.splice(1, process.argv.length - 1, file, ...args);
await import(pathToFileURL(file).href);
