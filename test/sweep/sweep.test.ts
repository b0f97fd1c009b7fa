import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { executorFor } from "../../src/sweep/executors.ts";
import { pointsOf } from "../../src/sweep/points.ts";
import { halftone, start } from "../cli/halftone.ts";
import { code, writeCells } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";

// The type checker would take most of the time.
process.env.HALFTONE_TYPES = "off";

/** Says a metric without loading the library, which takes longer than the cells. */
const sayAccuracy = `const show = Reflect.get(globalThis, Symbol.for("halftone.display")) as (data: object) => void;
show({ "application/vnd.halftone.metric+json": { name: "accuracy", values: [1 - rate], steps: [null] } });`;

const toy = (folder: string, ...more: string[]) =>
  writeCells(folder, "toy.ipynb", [
    code("const rate: number = 0.1;\nconst seed: number = 1;", "parameters"),
    code(sayAccuracy),
    ...more.map((source) => code(source)),
  ]);
const records = (out: string) => readdirSync(path.join(out, "points")).filter((name) => name.endsWith(".json"));

test("a sweep runs each point once, keeps failed ones in the table, and runs again what is asked for", async () => {
  const folder = temporaryFolder();
  const file = toy(folder, 'if (rate === 0.2) throw new Error("too fast");');
  const out = path.join(folder, "out");
  const first = await halftone(["sweep", file, "-p", "rate=0.1,0.2", "-o", out]);
  assert.equal(first.status, 1, first.stderr);
  assert.equal(first.stdout, `${path.join(out, "index.html")}\n`);
  assert.match(first.stderr, /2 points, 2 to run on this machine/);
  assert.match(first.stderr, /[12]\/2 {2}rate=0\.1 {2}accuracy 0\.9 {2}\d+\.\d s\n/);
  assert.match(first.stderr, /[12]\/2 {2}rate=0\.2 {2}failed in cell 4: Error: too fast {2}\d+\.\d s\n/);
  assert.match(first.stderr, /1 of 2 points done, 1 failed\n$/);
  const table = readFileSync(path.join(out, "results.csv"), "utf8");
  assert.match(table, /,0\.1,0\.9,ok,,.*\r\n.*,0\.2,0\.8,error,Error: too fast,/);
  const more = await halftone(["sweep", file, "-p", "rate=0.1,0.2,0.3", "-o", out]);
  assert.match(more.stderr, /3 points, 1 done before, 1 failed before \(--retry failed runs them again\), 1 to run/);
  const retry = await halftone(["sweep", file, "-p", "rate=0.2", "-o", out, "--retry", "failed"]);
  assert.match(retry.stderr, /1 point, 1 to run on this machine\n1\/1 {2}rate=0\.2 {2}failed/);
  assert.equal(records(out).length, 3);
});

test("--max-failures stops the sweep; Ctrl-C keeps what has ended", async () => {
  const folder = temporaryFolder();
  const file = toy(
    folder,
    'if (rate < 0.2) throw new Error("no");\nawait new Promise((done) => setTimeout(done, 60_000));',
  );
  const out = path.join(folder, "out");
  const stopped = await halftone([
    "sweep",
    file,
    "-p",
    "rate=0.1,0.11,0.12",
    "-o",
    out,
    "--jobs",
    "1",
    "--max-failures",
    "1",
  ]);
  assert.equal(stopped.status, 1);
  assert.match(stopped.stderr, /Stopped by --max-failures 1: 0 of 3 points done, 1 failed, 2 not run/);
  const interrupted = start(["sweep", file, "-p", "rate=0.11,0.3", "-o", out, "--jobs", "1"]);
  await interrupted.said("1/2  rate=0.11  failed");
  interrupted.kill("SIGINT");
  const { status, stderr } = await interrupted.finished;
  assert.equal(status, 130);
  assert.match(stderr, /Interrupted: 0 of 2 points done, 1 failed, 1 not run; the same command runs it/);
  assert.equal(records(out).length, 2);
});

test("what would make every point fail is said before the first one runs", async () => {
  const folder = temporaryFolder();
  const file = toy(folder);
  const { status, stderr } = await halftone(["sweep", file, "-o", path.join(folder, "out"), "-p", "rat=1,2"]);
  assert.equal(status, 2, stderr);
  assert.match(stderr, /toy\.ipynb has no parameter "rat"\. Did you mean "rate"\? It has: rate, seed\./);
  assert.throws(() => pointsOf([], {}), /No parameter is given: give -p name=values or --params FILE\./);
  const options = { resources: {}, detachLocally: () => Promise.resolve("") };
  assert.throws(() => executorFor("mars", options), /--on mars: sweeps run on /);
  assert.throws(
    () => executorFor("local", { ...options, resources: { memory: 1 } }),
    /--memory is for Slurm and Ray, but points run on this machine: --jobs N/,
  );
  assert.throws(() => executorFor("local", { ...options, sbatch: ["--time=1"] }), /--sbatch has options of Slurm/);
});

test("sweep-point runs one point of a plan, and refuses a machine that differs from it", async () => {
  const folder = temporaryFolder();
  const file = toy(folder);
  const out = path.join(folder, "out");
  await halftone(["sweep", file, "-p", "rate=0.1", "-o", out]);
  const [id] = records(out).map((name) => path.basename(name, ".json"));
  const elsewhere = path.join(folder, "elsewhere");
  const { status, stderr } = await halftone(["sweep-point", out, id!, "--store", elsewhere]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(readdirSync(path.join(elsewhere, "points")), [`${id}.ipynb`, `${id}.json`]);
  const plan = path.join(out, "plan.json");
  writeFileSync(plan, readFileSync(plan, "utf8").replace(/"build": "\w+"/, '"build": "0123"'));
  const other = await halftone(["sweep-point", out, id!]);
  assert.equal(other.status, 1);
  assert.match(
    other.stderr,
    /planned with halftone [\d.]+ \(build 0123\), but this machine has [\d.]+ \(build \w+\): install the same build/,
  );
});

test("--detach returns at once, and the same command follows the sweep and collects its results", async () => {
  const folder = temporaryFolder();
  const go = path.join(folder, "go");
  const wait = `import { existsSync } from "node:fs";
for (let i = 0; i < 6000 && !existsSync(${JSON.stringify(go)}); i++) await new Promise((done) => setTimeout(done, 10));`;
  const file = toy(folder, wait);
  const out = path.join(folder, "out");
  const detached = await halftone(["sweep", file, "-p", "rate=0.1,0.2", "-o", out, "--detach"]);
  assert.equal(detached.status, 0, detached.stderr);
  assert.match(detached.stderr, /Process \d+ runs 2 points, with its messages in .*sweep\.log/);
  const following = start(["sweep", file, "-p", "rate=0.1,0.2", "-o", out]);
  await following.said(": following it");
  writeFileSync(go, "");
  const { status, stderr } = await following.finished;
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^Process \d+ runs a sweep into .*: following it/);
  assert.match(stderr, /2 points, 2 done before, nothing to run\n2 of 2 points done/);
  assert.match(readFileSync(path.join(out, "sweep.log"), "utf8"), /2 of 2 points done/);
});

test("a file that changes while the sweep runs stops it", async () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "data.txt"), "1");
  const file = toy(folder, `import { writeFileSync } from "node:fs"; writeFileSync("data.txt", String(rate));`);
  const { status, stderr } = await halftone([
    "sweep",
    file,
    "-p",
    "rate=0.1,0.2",
    "-o",
    path.join(folder, "out"),
    "--jobs",
    "1",
  ]);
  assert.equal(status, 1);
  assert.match(readFileSync(path.join(folder, "out", "results.csv"), "utf8"), /,0\.1,0\.9,ok,/);
  assert.match(stderr, /1\/2 .*\nThe file data\.txt, which toy\.ipynb names, has changed since the sweep was planned/);
});
