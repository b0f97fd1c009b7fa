/**
 * This kernel beside tslab, Deno and ipykernel, one after another through jupyter_client: start, latency, completion, floods of output,
 * Stop, memory.
 *
 *     npm run build && node dist/bench/kernel.js [kernel...]
 *
 * The peers are installed once into the user's cache. IJavascript is not among them: its zeromq 5 has no prebuilt library for
 * today's Node and its install script downloads what it compiles.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "../kernel/kernelspec/kernelspec.ts";
import { venv } from "../kernel/kernelspec/venv.ts";
import { cacheFolder } from "../src/runtime/setup/cache.ts";

type Figure = number | string;
interface Measured {
  start: Figure;
  trivial: Figure[] | string;
  typical: Figure[] | string;
  declaring: Figure[] | string;
  completion: Figure;
  inspection: Figure;
  lines: Figure;
  big: Figure;
  stop: Figure;
  memory: Figure;
  "idles lost"?: number;
}

const sources = fileURLToPath(new URL("../..", import.meta.url));
const languages: Record<string, string> = {
  halftone: "typescript",
  tslab: "typescript",
  deno: "typescript",
  ipykernel: "python",
};
const asked = process.argv.slice(2);
const kernels = asked.length > 0 ? asked : Object.keys(languages);

const python = await venv(path.join(sources, "test/peers/requirements.txt"), console.log);
const peers = installPeers();
const folder = mkdtempSync(path.join(os.tmpdir(), "halftone-bench-"));
try {
  install({ kind: "prefix", folder });
  for (const [name, argv] of Object.entries(peers)) {
    const spec = path.join(folder, "share/jupyter/kernels", name);
    mkdirSync(spec, { recursive: true });
    writeFileSync(
      path.join(spec, "kernel.json"),
      JSON.stringify({ argv, display_name: name, language: languages[name] }),
    );
  }
  const measured = new Map<string, Measured>();
  for (const kernel of kernels) {
    const found = measure(kernel);
    if (found) measured.set(kernel, found);
  }
  print(measured);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Each peer's command line, by the name that its row has. */
function installPeers(): Record<string, string[]> {
  const at = path.join(cacheFolder(), "bench-peers");
  const packages = path.join(at, "node_modules");
  if (!existsSync(path.join(packages, "tslab"))) {
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, "package.json"), '{ "private": true }');
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "tslab@1.0.22", "deno@2.9.6"];
    spawnSync("npm", args, { cwd: at, stdio: "inherit" });
  }
  const deno = path.join(packages, "@deno", `${process.platform}-${process.arch}-glibc`, "deno");
  return {
    tslab: [process.execPath, path.join(packages, "tslab/bin/tslab"), "kernel", "--config-path", "{connection_file}"],
    deno: [deno, "jupyter", "--kernel", "--conn", "{connection_file}"],
    ipykernel: [python.bin("python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
  };
}

function measure(kernel: string): Measured | undefined {
  console.error(`measuring ${kernel}`);
  const script = path.join(sources, "bench/reference/kernel.py");
  const { stdout, stderr, status } = spawnSync(
    python.bin("python"),
    [script, kernel, languages[kernel] ?? "typescript"],
    {
      encoding: "utf8",
      cwd: folder,
      timeout: 300_000,
      env: {
        ...process.env,
        JUPYTER_PATH: path.join(folder, "share/jupyter"),
        JUPYTER_RUNTIME_DIR: folder,
        HALFTONE_HISTORY: path.join(folder, "history.jsonl"),
        IPYTHONDIR: folder,
      },
    },
  );
  if (status === 0) return JSON.parse(stdout.trim().split("\n").at(-1)!) as Measured;
  console.error(`${kernel} could not be measured: ${stderr.trim().split("\n").at(-1)}`);
  return undefined;
}

function print(measured: ReadonlyMap<string, Measured>): void {
  const rows: [string, (m: Measured) => Figure][] = [
    ["start to first result", (m) => m.start],
    ...["1", "100", "500"].flatMap((cell, index): [string, (m: Measured) => Figure][] => [
      [`trivial cell, at cell ${cell}`, (m) => (typeof m.trivial === "string" ? m.trivial : m.trivial[index]!)],
      [`typical cell, at cell ${cell}`, (m) => (typeof m.typical === "string" ? m.typical : m.typical[index]!)],
      [`two new names, at cell ${cell}`, (m) => (typeof m.declaring === "string" ? m.declaring : m.declaring[index]!)],
    ]),
    ["completion", (m) => m.completion],
    ["inspection", (m) => m.inspection],
    ["100,000 lines", (m) => m.lines],
    ["50 MB in one output", (m) => m.big],
    ["Stop to idle, state kept", (m) => m.stop],
    ["cells without an idle", (m) => String(m["idles lost"] ?? 0)],
    ["memory when idle", (m) => (typeof m.memory === "number" ? `${Math.round(m.memory / 1e6)} MB` : m.memory)],
  ];
  console.log(`Node ${process.version}, ${os.cpus().length} × ${os.cpus()[0]?.model}, medians`);
  console.log(`| | ${[...measured.keys()].join(" | ")} |`);
  console.log(`| --- |${" --- |".repeat(measured.size)}`);
  for (const [name, read] of rows) {
    console.log(`| ${name} | ${[...measured.values()].map((each) => show(read(each))).join(" | ")} |`);
  }
}

function show(figure: Figure): string {
  if (typeof figure === "string") return figure;
  return `${figure < 10 ? figure.toFixed(1) : Math.round(figure)} ms`;
}
