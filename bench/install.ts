// The time from a clone to the first result, phase by phase: node dist/bench/install.js [--cold]. With --cold the caches of npm and pip and
// TensorFlow's wheel are downloaded anew; without it, they are those of this user.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { wheelFolder } from "../src/runtime/setup/cache.ts";

const isCold = process.argv.includes("--cold");
const work = mkdtempSync(path.join(tmpdir(), "halftone-install-"));
const checkout = path.join(work, "halftone");
const cache = path.join(work, "cache");
const env = {
  ...process.env,
  HALFTONE_CACHE: cache,
  ...(isCold && { npm_config_cache: path.join(work, "npm"), PIP_NO_CACHE_DIR: "1" }),
};
const cell = { id: "a", cell_type: "code", source: 'import { tensor } from "halftone";\ntensor([1, 2])', metadata: {} };
const notebook = {
  cells: [{ ...cell, outputs: [], execution_count: null }],
  metadata: { kernelspec: { name: "halftone", display_name: "Halftone", language: "typescript" } },
  nbformat: 4,
  nbformat_minor: 5,
};

let total = 0;
function phase(name: string, command: string, args: readonly string[], cwd = checkout): void {
  const started = performance.now();
  const { status, stderr, stdout } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  const seconds = (performance.now() - started) / 1000;
  total += seconds;
  if (status !== 0)
    throw new Error(`${name}: ${command} ${args.join(" ")} ended with status ${status}:\n${stdout}${stderr}`);
  console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`);
}

try {
  phase("git clone", "git", ["clone", "-q", process.cwd(), checkout], work);
  phase("packages (npm ci)", "npm", [
    "ci",
    "--loglevel=error",
    "--no-progress",
    ...(isCold ? [] : ["--prefer-offline"]),
  ]);
  phase("build", process.execPath, ["node_modules/typescript/bin/tsc"]);
  mkdirSync(cache);
  if (!isCold && existsSync(wheelFolder())) cpSync(wheelFolder(), path.join(cache, "wheels"), { recursive: true });
  phase("halftone setup", process.execPath, ["dist/src/cli/main.js", "setup"]);
  writeFileSync(path.join(checkout, "first.ipynb"), JSON.stringify(notebook));
  phase("halftone run, one cell", process.execPath, [
    "dist/src/cli/main.js",
    "run",
    "first.ipynb",
    "-o",
    "executed.ipynb",
  ]);
  phase("JupyterLab installed and started (halftone lab --version)", process.execPath, [
    "dist/src/cli/main.js",
    "lab",
    "--version",
  ]);
  console.log(
    `${total.toFixed(1).padStart(7)} s  in all, ${isCold ? "with empty caches" : "with filled caches of npm and pip"}`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
