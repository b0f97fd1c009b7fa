import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

function halftone(...args: string[]) {
  return spawnSync(process.execPath, ["dist/src/cli/main.js", ...args], { encoding: "utf8" });
}

test("a command that does not exist is named, with the nearest one, and the exit code is that of wrong usage", () => {
  const { status, stderr, stdout } = halftone("rnu");
  assert.equal(status, 2);
  assert.match(stderr, /unknown command 'rnu'\n\(Did you mean run\?\)/);
  assert.equal(stdout, "");
});

test("help lists the commands on stdout", () => {
  const { status, stdout } = halftone("--help");
  assert.equal(status, 0);
  for (const command of ["setup", "doctor", "run", "report", "install"])
    assert.match(stdout, new RegExp(`^  ${command}`, "m"));
});
