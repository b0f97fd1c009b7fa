import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { code, writeCells } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { halftone } from "./halftone.ts";

const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];

/** A folder in which npm has installed is-odd, which needs is-number. */
function project(): string {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
  const npm = spawnSync("npm", ["install", "is-odd@3.0.1", ...options], { cwd: folder, encoding: "utf8" });
  assert.equal(npm.status, 0, npm.stderr);
  return folder;
}

const isOdd = code('import isOdd from "is-odd"; import { helped } from "./helper.ts"; [isOdd(3), helped]');
const helper = 'import isOdd from "is-odd"; export const helped: boolean = isOdd(4);';

test("a lock restores a run's packages, also for the notebook's own files, and does not change the notebook's folder", async () => {
  const folder = project();
  writeFileSync(path.join(folder, "helper.ts"), helper);
  writeFileSync(path.join(folder, "rows.txt"), "seven");
  const reads = code('import { readFileSync } from "node:fs"; readFileSync(["rows", "txt"].join("."), "utf8")');
  const file = writeCells(folder, "a.ipynb", [code("%types off"), isOdd, reads]);
  const locked = await halftone(["run", file, "--lock"]);
  assert.equal(locked.status, 0, locked.stderr);
  const lockFile = path.join(folder, "a.lock.json");
  const lock = JSON.parse(readFileSync(lockFile, "utf8"));
  assert.deepEqual(
    Object.entries(lock.packages as Record<string, { version?: string }>).map(([at, { version }]) => [at, version]),
    [
      ["", undefined],
      ["node_modules/is-number", "6.0.0"],
      ["node_modules/is-odd", "3.0.1"],
    ],
  );
  assert.match(lock.packages["node_modules/is-odd"].integrity, /^sha512-/);
  assert.doesNotMatch(readFileSync(lockFile, "utf8"), /https?:/);

  rmSync(path.join(folder, "node_modules"), { recursive: true });
  mkdirSync(path.join(folder, "node_modules", "is-odd"), { recursive: true });
  writeFileSync(path.join(folder, "node_modules", "is-odd", "index.js"), 'module.exports = () => "another version";');
  writeFileSync(
    path.join(folder, "node_modules", "is-odd", "package.json"),
    '{ "name": "is-odd", "version": "9.9.9" }',
  );
  const again = path.join(folder, "again.ipynb");
  const { status, stderr } = await halftone(["run", file, "--from-lock", lockFile, "-o", again], {
    env: { ...process.env, HALFTONE_CACHE: path.join(folder, "cache") },
  });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /Installing 2 packages of the lock/);
  const { cells, metadata } = JSON.parse(readFileSync(again, "utf8"));
  assert.deepEqual(cells[1].outputs[0].data["text/plain"], ["[ true, false ]"]);
  assert.deepEqual(cells[2].outputs[0].data["text/plain"], ["'seven'"]);
  assert.deepEqual(metadata.halftone.packages, { "is-odd": "3.0.1" });
  assert.match(readFileSync(path.join(folder, "node_modules", "is-odd", "index.js"), "utf8"), /another version/);
});

test("cells that run with a lock write beside their notebook, and two notebooks with one lock run at once", async () => {
  const folder = project();
  const writes = (name: string) =>
    `import { writeFileSync } from "node:fs"; writeFileSync("${name}.txt", String(isOdd(3))); process.cwd()`;
  const cells = (name: string) => [code('%types off\nimport isOdd from "is-odd"'), code(writes(name))];
  const first = writeCells(folder, "a.ipynb", cells("a"));
  assert.equal((await halftone(["run", first, "--lock"])).status, 0);
  rmSync(path.join(folder, "node_modules"), { recursive: true });
  const elsewhere = path.join(folder, "elsewhere");
  mkdirSync(elsewhere);
  const second = writeCells(elsewhere, "b.ipynb", cells("b"));
  const env = { ...process.env, HALFTONE_CACHE: path.join(folder, "cache") };
  const lock = ["--from-lock", path.join(folder, "a.lock.json")];
  const runs = await Promise.all([first, second].map((file) => halftone(["run", file, ...lock], { env })));
  for (const { status, stderr } of runs) assert.equal(status, 0, stderr);
  assert.equal(readFileSync(path.join(folder, "a.txt"), "utf8"), "true");
  assert.equal(readFileSync(path.join(elsewhere, "b.txt"), "utf8"), "true");
  const executed = JSON.parse(readFileSync(path.join(elsewhere, "b.executed.ipynb"), "utf8"));
  assert.deepEqual(executed.cells[1].outputs[0].data["text/plain"], [`'${elsewhere}'`]);
  assert.deepEqual(readdirSync(path.join(folder, "cache", "locks")).length, 1);
  for (const file of ["a.txt", "b.txt"]) rmSync(path.join(file === "a.txt" ? folder : elsewhere, file));
  assert.equal((await halftone(["run", first, ...lock], { env })).status, 0);
  assert.ok(existsSync(path.join(folder, "a.txt")));
});

test("with a lock, every kind of import gives the locked package, and an unlocked package is not found", async () => {
  const folder = project();
  writeFileSync(path.join(folder, "helper.cjs"), 'exports.odd = require("is-odd")(3);');
  writeFileSync(path.join(folder, "helper.ts"), helper);
  const ways = [
    'import isOdd from "is-odd"; isOdd(3)',
    '(await import("is-odd")).default(3)',
    'require("is-odd")(3)',
    'require("./helper.cjs").odd',
    '(await import("./helper.cjs")).odd',
    '(await import("./helper.ts")).helped === false',
    'require(require.resolve("is-odd"))(3)',
    'import.meta.resolve("is-odd").includes("/locks/")',
  ];
  const file = writeCells(
    folder,
    "a.ipynb",
    ["%types off", ...ways].map((source) => code(source)),
  );
  assert.equal((await halftone(["run", file, "--lock", "--allow-errors"])).status, 0);
  for (const name of ["is-odd", "unlocked"]) {
    const beside = path.join(folder, "node_modules", name);
    rmSync(beside, { recursive: true, force: true });
    mkdirSync(beside);
    writeFileSync(path.join(beside, "index.js"), 'module.exports = () => "beside the notebook";');
    writeFileSync(path.join(beside, "package.json"), `{ "name": "${name}", "version": "9.9.9" }`);
  }
  writeCells(
    folder,
    "a.ipynb",
    ["%types off", ...ways, 'import("unlocked")'].map((source) => code(source)),
  );
  const again = path.join(folder, "again.ipynb");
  const lock = ["--from-lock", path.join(folder, "a.lock.json"), "-o", again];
  const { stderr } = await halftone(["run", file, ...lock], {
    env: { ...process.env, HALFTONE_CACHE: path.join(folder, "cache") },
  });
  const { cells } = JSON.parse(readFileSync(again, "utf8"));
  const shown = cells.map(
    (cell: { outputs: { data?: Record<string, string[]> }[] }) => cell.outputs[0]?.data?.["text/plain"]?.[0],
  );
  assert.deepEqual(
    shown.slice(1, 1 + ways.length),
    ways.map(() => "true"),
    stderr,
  );
  assert.match(stderr, /Cannot find 'unlocked' in the lock's packages or in the kernel's\. Run with --lock/);
});

test("packages that npm did not install are locked by version, with a warning", async () => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "node_modules", "left"), { recursive: true });
  writeFileSync(path.join(folder, "node_modules", "left", "index.js"), "module.exports = 1;");
  writeFileSync(path.join(folder, "node_modules", "left", "package.json"), '{ "name": "left", "version": "3.2.1" }');
  const file = writeCells(folder, "a.ipynb", [
    code('const left = require("left"); const v = await import("valibot"); left'),
  ]);
  const { status, stderr } = await halftone(["run", file, "--lock"]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /npm did not install the packages, so their dependencies are not locked/);
  const { packages, halftone: own } = JSON.parse(readFileSync(path.join(folder, "a.lock.json"), "utf8"));
  assert.deepEqual(packages, { "": { dependencies: { left: "3.2.1" } } });
  assert.match(own.own.valibot, /^\d+\.\d+\.\d+$/);
});

test("a missing or malformed lock is refused", async () => {
  const folder = temporaryFolder();
  const file = writeCells(folder, "a.ipynb", [code("1")]);
  const missing = await halftone(["run", file, "--from-lock", path.join(folder, "x.json")]);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /There is no lock at .*x\.json: `halftone run --lock` writes one\.\n$/);
  const wrong = await halftone(["run", file, "--from-lock", file]);
  assert.match(wrong.stderr, /is not a lock that `halftone run --lock` wrote\.\n$/);
});
