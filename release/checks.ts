// What is checked of the packed package, as a user would have it: installed into an empty folder from registries alone.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { execute } from "./execute.ts";
import { filesUnder } from "./files.ts";

export interface Check {
  name: string;
  /** Throws when the package fails; returns what there is to say. */
  run: () => string;
}

/** The compilers, beside the one that Halftone has, that check a program against the declarations. */
const compilers = ["5.0.4", "5.9.3", "6.0.2"];
const resolutions = [
  ["node16", "node16"],
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
] as const;
const megabytes = 120;

const program = `import { einsum, randn, type Tensor } from "halftone";
import { linear } from "halftone/nn";
const x = randn([{ batch: 32 }, 128, 64]);
const y: Tensor<["batch", 128, 256]> = einsum("b t d, d h -> b t h", x, randn([64, 256]));
// @ts-expect-error The axes named d have the sizes 64 and 32.
einsum("b t d, d h -> b t h", x, randn([32, 256]));
console.log(y.shape, linear);
`;
const esModule = `import { einsum, randn, ready } from "halftone";
import "halftone/nn";
await ready();
console.log(einsum("i j, j k -> i k", randn([2, 3]), randn([3, 4])).shape.join());
`;
const commonJs = `const { add, ready, tensor } = require("halftone");
require("halftone/nn");
ready().then(() => console.log(add(tensor([1, 2]), 1).dataSync().join()));
`;
/** A front end's heartbeat, which the kernel's ZeroMQ answers. */
const heartbeat = `import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
const main = new URL("node_modules/halftone/dist/src/cli/main.js", import.meta.url).pathname;
const { Request } = createRequire(main)("zeromq");
const ports = { shell_port: 1, iopub_port: 2, stdin_port: 3, control_port: 4, hb_port: 5 };
writeFileSync("connection.json", JSON.stringify({ transport: "ipc", ip: process.cwd() + "/socket", key: "", ...ports }));
const kernel = spawn(process.execPath, [main, "kernel", "connection.json"], { stdio: "inherit" });
kernel.on("exit", (status) => process.exit(status ?? 0));
const socket = new Request();
socket.connect("ipc://" + process.cwd() + "/socket-5");
await socket.send("alive");
console.log(String(await socket.receive()));
kernel.kill();
`;
const notebook = {
  cells: [
    {
      id: "a",
      cell_type: "code",
      source: 'import { sum, tensor } from "halftone";\\nconsole.log(process.pid);\\nsum(tensor([1, 2])).dataSync()[0]',
    },
    { id: "b", cell_type: "code", source: 'import * as tf from "@tensorflow/tfjs-node";\\ntf.add(1, 2).dataSync()[0]' },
  ].map((cell) => ({
    ...cell,
    source: cell.source.replaceAll("\\n", "\n"),
    metadata: {},
    outputs: [],
    execution_count: null,
  })),
  metadata: { kernelspec: { name: "halftone", display_name: "Halftone", language: "typescript" } },
  nbformat: 4,
  nbformat_minor: 5,
};

/** The compiler that is installed with the package. */
const own = "own";

/** `isQuick`: with the package's own compiler only, and without attw. `archives`: the package, and the native packages that are installed beside it. `work`: an empty folder. */
export function checks(archives: readonly string[], work: string, isQuick: boolean): Check[] {
  const app = path.join(work, "app");
  const tools = path.join(work, "tools");
  const node = (file: string, env = {}) => execute(process.execPath, [file], { cwd: app, env }).trim();
  const halftone = (...args: string[]) =>
    execute(process.execPath, ["node_modules/halftone/dist/src/cli/main.js", ...args], { cwd: app });
  return [
    {
      name: "publint",
      run: () =>
        execute(tool(tools, "publint"), [path.join(app, "node_modules/halftone"), "--pack", "false"]) && "clean",
    },
    ...(isQuick
      ? []
      : [{ name: "attw", run: () => execute(tool(tools, "attw"), [archives[0]!, "--no-emoji"]) && "clean" }]),
    { name: "import", run: () => expected(node("es-module.mjs"), "2,4") },
    { name: "require", run: () => expected(node("common-js.cjs"), "2,3") },
    { name: "import on WebAssembly", run: () => expected(node("es-module.mjs", { HALFTONE_BACKEND: "wasm" }), "2,4") },
    { name: "halftone kernel", run: () => expected(node("heartbeat.mjs"), "alive") },
    {
      name: "halftone run",
      run() {
        halftone("run", "notebook.ipynb", "-o", "executed.ipynb");
        const { cells } = JSON.parse(readFileSync(path.join(app, "executed.ipynb"), "utf8")) as {
          cells: { outputs: { data: Record<string, unknown> }[] }[];
        };
        return expected(cells.map(({ outputs }) => [outputs.at(-1)?.data["text/plain"]].flat().join("")).join(), "3,3");
      },
    },
    { name: "halftone report", run: () => halftone("report", "executed.ipynb", "-o", "report.html") && "written" },
    ...[own, ...(isQuick ? [] : compilers)].flatMap((version) =>
      resolutions.map(([module, resolution]) => ({
        name: `TypeScript ${version === own ? ownCompiler(app) : version}, ${resolution}`,
        run: () => compile(app, tools, version, module, resolution),
      })),
    ),
    ...(isQuick ? [] : [{ name: "TypeScript 5.9.3, processor time", run: () => compileTimes(app, tools) }]),
  ];
}

/** Fills the folders that the checks use; returns the size of what npm installed. */
export function install(archives: readonly string[], work: string, isQuick: boolean): string {
  const app = path.join(work, "app");
  mkdirSync(app, { recursive: true });
  const files = {
    "es-module.mjs": esModule,
    "common-js.cjs": commonJs,
    "heartbeat.mjs": heartbeat,
    "program.mts": program,
    "program.cts": program,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(app, name), text);
  writeFileSync(path.join(app, "notebook.ipynb"), JSON.stringify(notebook));
  npm(app, ["--ignore-scripts=false", ...archives]);
  const bytes = filesUnder(app, "node_modules", /^/).reduce(
    (sum, file) => sum + statSync(path.join(app, file)).size,
    0,
  );
  if (bytes > megabytes * 1e6)
    throw new Error(`${Math.round(bytes / 1e6)} MB are installed; ${megabytes} MB is the limit`);
  const compilersByAlias = compilers.map((version) => `typescript-${version}@npm:typescript@${version}`);
  const tools = path.join(work, "tools");
  mkdirSync(tools, { recursive: true });
  const more = isQuick ? [] : ["@arethetypeswrong/cli@0.18.5", ...compilersByAlias];
  npm(tools, ["--ignore-scripts", "publint@0.3.25", ...more]);
  return `${Math.round(bytes / 1e6)} MB in node_modules`;
}

const npm = (cwd: string, args: string[]): void => {
  writeFileSync(path.join(cwd, "package.json"), '{ "private": true }');
  execute("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline", ...args], { cwd });
};

const tool = (tools: string, name: string): string => path.join(tools, "node_modules/.bin", name);
const ownCompiler = (app: string): string =>
  (JSON.parse(readFileSync(path.join(app, "node_modules/typescript/package.json"), "utf8")) as { version: string })
    .version;

/** Compiles the program as an ES module and as CommonJS with the checks of libraries on, and once not strictly. */
function compile(app: string, tools: string, version: string, module: string, resolution: string): string {
  const folder =
    version === own
      ? path.join(app, "node_modules/typescript")
      : path.join(tools, `node_modules/typescript-${version}`);
  const flags = ["--noEmit", "--target", "es2022", "--module", module, "--moduleResolution", resolution];
  const tsc = (...args: string[]) =>
    execute(process.execPath, [path.join(folder, "bin/tsc"), ...flags, ...args], { cwd: app });
  tsc("--skipLibCheck", "false", "--strict", "program.mts", "program.cts");
  if (version === own) tsc("--strict", "false", "program.mts");
  return "no errors";
}

/** What the program costs a compiler that checks libraries too, beside an empty file; the best of three in turns. */
function compileTimes(app: string, tools: string): string {
  writeFileSync(path.join(app, "empty.mts"), "export {};\n");
  const printTime = `process.on("exit",()=>{const{user,system}=process.cpuUsage();console.log(user+system)})`;
  const best = { "empty.mts": Number.POSITIVE_INFINITY, "program.mts": Number.POSITIVE_INFINITY };
  const files = Object.keys(best) as (keyof typeof best)[];
  for (const file of [...files, ...files, ...files]) {
    const tsc = path.join(tools, "node_modules/typescript-5.9.3/bin/tsc");
    const flags = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022", "--module", "nodenext"];
    const time = execute(process.execPath, ["--import", `data:text/javascript,${printTime}`, tsc, ...flags, file], {
      cwd: app,
    });
    best[file] = Math.min(best[file], Number(time) / 1e6);
  }
  const { "empty.mts": empty, "program.mts": full } = best;
  return `${full.toFixed(1)} s for 8 lines, ${(full / empty).toFixed(2)} times an empty file`;
}

function expected(found: string, wanted: string): string {
  if (found !== wanted) throw new Error(`expected ${wanted}, got ${found}`);
  return found;
}
