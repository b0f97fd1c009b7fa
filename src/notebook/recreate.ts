import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../runtime/cache.ts";
import { alone } from "../runtime/lock.ts";
import { inputFiles } from "./identity.ts";
import { type Lock, lockHash } from "./lock.ts";
import type { Notebook } from "./nbformat.ts";
import { NotebookProblem } from "./problem.ts";

const OWN = new Set(["node_modules", "package.json", "package-lock.json"]);

/**
 * A folder in the cache with the lock's packages, installed by npm without any package's scripts, in which the notebook's cells find its
 * files: those that its code names as copies, so that they too import what is locked; the rest as links.
 */
export async function recreate(
  lock: Lock,
  notebook: Notebook,
  folder: string,
  say: (what: string) => void,
): Promise<string> {
  const key = createHash("sha256").update(path.resolve(folder)).digest("hex").slice(0, 8);
  const made = path.join(cacheFolder(), "locks", `${lockHash(lock)}-${key}`);
  const done = path.join(made, "node_modules", ".halftone-complete");
  const wait = (pid: string) => say(`Process ${pid} is installing the same packages; waiting for it`);
  await alone(made, wait, async () => {
    if (existsSync(done)) return;
    rmSync(made, { recursive: true, force: true });
    mkdirSync(path.join(made, "node_modules"), { recursive: true });
    await install(lock, made, say);
    mkdirSync(path.join(made, "node_modules"), { recursive: true });
    writeFileSync(done, "");
  });
  bringFiles(notebook, path.resolve(folder), made);
  return made;
}

async function install(lock: Lock, made: string, say: (what: string) => void): Promise<void> {
  const { name, lockfileVersion, packages } = lock;
  const dependencies = packages[""]?.dependencies ?? {};
  const count = Math.max(Object.keys(packages).length - 1, Object.keys(dependencies).length);
  if (count === 0) return;
  say(`Installing ${count} ${count === 1 ? "package" : "packages"} of the lock`);
  writeFileSync(path.join(made, "package.json"), JSON.stringify({ private: true, dependencies }));
  if (lock.halftone.whole)
    writeFileSync(
      path.join(made, "package-lock.json"),
      JSON.stringify({ name, lockfileVersion, requires: true, packages }),
    );
  const how = lock.halftone.whole ? "ci" : "install";
  await npm([how, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], made);
}

async function npm(args: string[], cwd: string): Promise<void> {
  const child = spawn("npm", args, { cwd, stdio: ["ignore", "ignore", "pipe"], shell: process.platform === "win32" });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (error) => reject(new NotebookProblem(`npm could not be started: ${error.message}`)));
  });
  if (status === 0) return;
  const why = said.split("\n").filter((line) => /^npm (error|ERR!)/.test(line) && !line.includes("complete log"));
  throw new NotebookProblem(`npm could not install the lock's packages:\n${why.slice(0, 4).join("\n")}`);
}

function bringFiles(notebook: Notebook, folder: string, made: string): void {
  for (const name of readdirSync(made)) if (!OWN.has(name)) rmSync(path.join(made, name), { recursive: true });
  const copied = Object.keys(inputFiles(notebook, folder));
  for (const name of copied) cpSync(path.join(folder, name), path.join(made, name));
  link(folder, made, new Set(copied), "");
  for (let at = folder; !existsSync(path.join(made, "tsconfig.json")); at = path.dirname(at)) {
    const found = path.join(at, "tsconfig.json");
    if (existsSync(found)) symlinkSync(found, path.join(made, "tsconfig.json"));
    else if (at === path.dirname(at)) break;
  }
}

/** Links what was not copied; a folder that holds a copied file is made anew and its other files are linked. */
function link(folder: string, made: string, copied: Set<string>, below: string): void {
  for (const name of readdirSync(path.join(folder, below))) {
    const at = path.posix.join(below, name);
    if (OWN.has(at) || copied.has(at)) continue;
    if ([...copied].some((each) => each.startsWith(`${at}/`))) link(folder, made, copied, at);
    else symlinkSync(path.join(folder, at), path.join(made, at));
  }
}
