import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.ts";
import { type Ended, type Running, start } from "./fixture.ts";

/** A checkout whose only package is a compiler that counts its runs in a file; npm needs no network for it. */
function checkout(dependencies: Record<string, string> = {}): string {
  const root = temporaryFolder();
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  mkdirSync(path.join(root, "src/cli"), { recursive: true });
  cpSync("src/cli/bootstrap.mjs", path.join(root, "src/cli/bootstrap.mjs"));
  write("src/cli/main.ts", "");
  write("tsconfig.json", "{}");
  write("local/package.json", JSON.stringify({ name: "typescript", version: "1.0.0" }));
  const compile = `
    const fs = require("node:fs");
    fs.mkdirSync("dist/src/cli", { recursive: true });
    fs.writeFileSync("dist/src/cli/main.js", "");
    fs.appendFileSync("builds", "built ");`;
  write("local/bin/tsc", compile);
  write("package.json", JSON.stringify({ name: "x", dependencies: { typescript: "file:local", ...dependencies } }));
  const lock = {
    name: "x",
    lockfileVersion: 3,
    packages: {
      "": { name: "x", dependencies: { typescript: "file:local", ...dependencies } },
      local: { name: "typescript", version: "1.0.0" },
      "node_modules/typescript": { resolved: "local", link: true },
      ...Object.fromEntries(
        Object.entries(dependencies).map(([name, version]) => [
          `node_modules/${name}`,
          { version, integrity: "sha512-AA==" },
        ]),
      ),
    },
  };
  write("package-lock.json", JSON.stringify(lock));
  return root;
}

const bootstrap = (root: string, env?: Record<string, string>): Running =>
  start([path.join(root, "src/cli/bootstrap.mjs"), "build"], env);

const builds = (root: string): string => spawnSync("cat", [path.join(root, "builds")], { encoding: "utf8" }).stdout;
const good = ({ status, stderr }: Ended) => assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });

test("the first run installs and builds, the second does nothing, and a changed source is built again", async () => {
  const root = checkout();
  const first = await bootstrap(root).ended;
  good(first);
  assert.match(first.stdout, /Installing .* from the lockfile/);
  assert.match(first.stdout, /Building/);

  assert.deepEqual(await bootstrap(root).ended, { status: 0, stdout: "", stderr: "" });
  assert.equal(builds(root), "built ");

  writeFileSync(path.join(root, "src/cli/main.ts"), "export {};");
  const third = await bootstrap(root).ended;
  assert.equal(third.stdout, "[halftone] Building\n");
});

test("an older build's output of a removed source is deleted", async () => {
  const root = checkout();
  mkdirSync(path.join(root, "dist/test"), { recursive: true });
  writeFileSync(path.join(root, "dist/test/removed.test.js"), "");
  good(await bootstrap(root).ended);
  assert.equal(existsSync(path.join(root, "dist/test/removed.test.js")), false);
  assert.equal(existsSync(path.join(root, "dist/src/cli/main.js")), true);
});

test("test --quick leaves out the tests of other programs, and gives the runner its options", async () => {
  const root = checkout();
  for (const name of ["peers/lab", "tensor/ops"]) {
    const source = path.join(root, `test/${name}.test.ts`);
    const output = path.join(root, `dist/test/${name}.test.js`);
    for (const file of [source, output]) mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(source, "");
    writeFileSync(output, `require("node:test").test("${name}", () => {});`);
  }
  // With this variable set, a runner runs no tests, because another runner has started it.
  const env = { NODE_TEST_CONTEXT: undefined };
  const run = (...args: string[]) =>
    start([path.join(root, "src/cli/bootstrap.mjs"), "test", "--test-reporter=tap", ...args], env).ended;
  const testsOf = ({ stdout }: Ended) => Array.from(stdout.matchAll(/^ok \d+ - (\S+)/gm), ([, name]) => name);
  assert.deepEqual(testsOf(await run()), ["peers/lab", "tensor/ops"]);
  assert.deepEqual(testsOf(await run("--quick")), ["tensor/ops"]);
  assert.deepEqual(testsOf(await run("dist/test/peers/lab.test.js")), ["peers/lab"]);
});

test("two concurrent starts install and build once", {
  skip: process.platform !== "linux" && "the lock is Linux's",
}, async () => {
  const root = checkout();
  const first = bootstrap(root);
  await first.saw(/Installing/);
  const second = bootstrap(root);
  const ends = await Promise.all([first.ended, second.ended]);
  ends.forEach(good);
  assert.match(ends[1].stdout, /Another Halftone command is setting this checkout up; waiting for it/);
  assert.doesNotMatch(ends[1].stdout, /Installing|Building/);
  assert.equal(builds(root), "built ");
});

test("without a network, the failed installation is reported in two lines, and nothing is marked complete", async () => {
  const root = checkout({ "not-cached-anywhere": "1.0.0" });
  const offline = { npm_config_registry: "http://127.0.0.1:9", npm_config_fetch_retries: "0" };
  for (const attempt of ["the first", "the second"]) {
    const { status, stdout, stderr } = await bootstrap(root, { ...offline, npm_config_cache: temporaryFolder() }).ended;
    assert.equal(status, 1, attempt);
    assert.match(stdout, /Installing/, `${attempt} attempt installs`);
    const [what, todo, ...more] = stderr.trim().split("\n");
    assert.match(what ?? "", /could not be installed: the package registry is out of reach \(ECONNREFUSED\)/);
    assert.match(todo ?? "", /Check the network/);
    assert.deepEqual(more, []);
  }
  assert.equal(existsSync(path.join(root, "node_modules/.halftone")), false);
});
