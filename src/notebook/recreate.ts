import { existsSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { refusing } from "../base/files.ts";
import { makeFolder } from "../base/folders.ts";
import { UserError } from "../base/user-error.ts";
import { cacheFolder } from "../runtime/setup/cache.ts";
import { runTool } from "../runtime/setup/run-tool.ts";
import { withLock } from "../runtime/setup/with-lock.ts";
import { type Lock, lockHash } from "./lock.ts";

/**
 * A folder in the cache whose `node_modules` holds the lock's packages, installed by npm without any package's scripts. It is the same
 * for every notebook with that lock, and nothing else is ever written there.
 */
export async function recreate(lock: Lock, say: (what: string) => void): Promise<string> {
  const made = path.join(cacheFolder(), "locks", lockHash(lock));
  const done = path.join(made, "node_modules", ".halftone-complete");
  const wait = (pid: string) => say(`Process ${pid} is installing the same packages; waiting for it`);
  refusing(made, () => makeFolder(path.dirname(made)), "name another cache with HALFTONE_CACHE");
  await withLock(made, wait, async () => {
    if (existsSync(done)) return;
    rmSync(made, { recursive: true, force: true });
    makeFolder(path.join(made, "node_modules"));
    await install(lock, made, say);
    makeFolder(path.join(made, "node_modules"));
    writeFileSync(done, "");
  });
  return realpathSync(made);
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
  const options = { cwd, shell: process.platform === "win32" };
  const { ok, errorText } = await runTool("npm", args, options).catch((error: Error) => {
    throw new UserError(`npm could not be started: ${error.message}`, 1);
  });
  if (ok) return;
  const why = errorText.split("\n").filter((line) => /^npm (error|ERR!)/.test(line) && !line.includes("complete log"));
  throw new UserError(`npm could not install the lock's packages:\n${why.slice(0, 4).join("\n")}`, 1);
}
