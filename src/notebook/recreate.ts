import { existsSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { counted } from "../base/counted.ts";
import { refusing } from "../base/files.ts";
import { makeFolder } from "../base/folders.ts";
import { UserError } from "../base/user-error.ts";
import { cacheFolder } from "../runtime/setup/cache.ts";
import { runTool } from "../runtime/setup/run-tool.ts";
import { withLock } from "../runtime/setup/with-lock.ts";
import { type Lock, lockHash } from "./lock.ts";

/**
 * Returns a folder in the cache whose `node_modules` holds the lock's packages. npm installs them without running their scripts. All
 * notebooks with the same lock share the folder, and nothing else is written there.
 */
export async function recreate(lock: Lock, say: (message: string) => void): Promise<string> {
  const folder = path.join(cacheFolder(), "locks", lockHash(lock));
  const done = path.join(folder, "node_modules", ".halftone-complete");
  const wait = (pid: string) => say(`Process ${pid} is installing the same packages; waiting for it`);
  refusing(folder, () => makeFolder(path.dirname(folder)), "set HALFTONE_CACHE to another folder");
  await withLock(folder, wait, async () => {
    if (existsSync(done)) return;
    rmSync(folder, { recursive: true, force: true });
    makeFolder(path.join(folder, "node_modules"));
    await install(lock, folder, say);
    makeFolder(path.join(folder, "node_modules"));
    writeFileSync(done, "");
  });
  return realpathSync(folder);
}

async function install(lock: Lock, folder: string, say: (message: string) => void): Promise<void> {
  const { name, lockfileVersion, packages } = lock;
  const dependencies = packages[""]?.dependencies ?? {};
  const count = Math.max(Object.keys(packages).length - 1, Object.keys(dependencies).length);
  if (count === 0) return;
  say(`Installing ${counted(count, "package")} of the lock`);
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
  if (lock.halftone.whole)
    writeFileSync(
      path.join(folder, "package-lock.json"),
      JSON.stringify({ name, lockfileVersion, requires: true, packages }),
    );
  const command = lock.halftone.whole ? "ci" : "install";
  await npm([command, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder);
}

async function npm(args: string[], cwd: string): Promise<void> {
  const options = { cwd, shell: process.platform === "win32" };
  const { ok, errorText } = await runTool("npm", args, options).catch((error: Error) => {
    throw new UserError(`npm could not be started: ${error.message}`, 1);
  });
  if (ok) return;
  const reasons = errorText
    .split("\n")
    .filter((line) => /^npm (error|ERR!)/.test(line) && !line.includes("complete log"));
  throw new UserError(`npm could not install the lock's packages:\n${reasons.slice(0, 4).join("\n")}`, 1);
}
