import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.ts";

function halftone(...args: string[]) {
  return spawnSync(process.execPath, ["dist/src/cli/main.js", ...args], { encoding: "utf8" });
}

test("an unknown command gives status 2 and suggests the nearest command", () => {
  const { status, stderr, stdout } = halftone("rnu");
  assert.equal(status, 2);
  assert.match(stderr, /unknown command 'rnu'\n\(Did you mean run\?\)/);
  assert.equal(stdout, "");
});

test("help lists every command on stdout, and each has its own help", () => {
  const { status, stdout } = halftone("--help");
  assert.equal(status, 0);
  const commands = [...stdout.slice(stdout.indexOf("Commands:")).matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!);
  const making = [
    "run",
    "sweep",
    "train",
    "report",
    "images",
    "verify",
    "assign",
    "setup",
    "doctor",
    "install",
    "uninstall",
    "list",
  ];
  assert.deepEqual(commands, [...making, "lab", "kernel", "check", "export", "help"]);
  for (const command of commands.filter((name) => name !== "help")) {
    const own = halftone(command, "--help");
    assert.equal(own.status, 0, command);
    assert.match(own.stdout, new RegExp(`^Usage: halftone ${command} `), command);
  }
});

test("a first start without a network reports it at once, before npm gives up", async (context) => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "src", "cli"), { recursive: true });
  for (const file of ["package.json", "package-lock.json", "src/cli/bootstrap.mjs"])
    cpSync(new URL(`../../../${file}`, import.meta.url), path.join(folder, file));
  // No server listens on this port.
  const env = {
    ...process.env,
    npm_config_registry: "http://127.0.0.1:9",
    npm_config_cache: path.join(folder, "cache"),
  };
  const child = spawn(process.execPath, ["src/cli/bootstrap.mjs", "start"], { cwd: folder, env, detached: true });
  context.after(() => process.kill(-child.pid!, "SIGKILL"));
  let stdout = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    stdout += text;
    if (stdout.includes("again for")) break;
  }
  assert.match(
    stdout,
    /The package registry does not answer \(ECONNREFUSED\); npm tries again for two minutes\. Without a network, end this with Ctrl-C\.\n/,
  );
});
