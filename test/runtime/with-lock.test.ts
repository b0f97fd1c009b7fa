import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "../temporary-folder.ts";

const withLock = pathToFileURL(path.resolve("dist/src/runtime/setup/with-lock.js")).href;

/** A process that prints when it waits for the lock, when it holds it, and ends when its stdin does. */
function contender(platform: string, folder: string) {
  const script = `
    Object.defineProperty(process, "platform", { value: ${JSON.stringify(platform)} });
    const { withLock } = await import(${JSON.stringify(withLock)});
    await withLock(${JSON.stringify(folder)}, (pid) => console.log("waits for " + pid), async () => {
      console.log("holds");
      await new Promise((resolve) => process.stdin.on("end", resolve).resume());
    });
    process.exit();`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8");
  const next = async (): Promise<string> => ((await once(child.stdout, "data")) as [string])[0].trim();
  return { child, next };
}

for (const platform of ["linux", "darwin"]) {
  test(`${platform}: one process holds a lock, and the next gets it when the first is killed or ends`, {
    skip: process.platform !== "linux" && "both kinds of address work on Linux only",
  }, async () => {
    const folder = temporaryFolder();
    const killed = contender(platform, folder);
    assert.equal(await killed.next(), "holds");
    const second = contender(platform, folder);
    assert.equal(await second.next(), `waits for ${killed.child.pid}`);
    killed.child.kill("SIGKILL");
    assert.equal(await second.next(), "holds");
    const third = contender(platform, folder);
    assert.equal(await third.next(), `waits for ${second.child.pid}`);
    second.child.stdin.end();
    assert.equal(await third.next(), "holds");
    third.child.stdin.end();
    assert.deepEqual(await once(third.child, "exit"), [0, null]);
  });
}
