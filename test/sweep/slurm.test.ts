import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { halftone, start } from "../cli/halftone.ts";
import { code, writeCells } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { noCluster, SlurmCluster } from "./slurm-cluster.ts";

const sayAccuracy = `const show = Reflect.get(globalThis, Symbol.for("halftone.display")) as (data: object) => void;
show({ "application/vnd.halftone.metric+json": { name: "accuracy", values: [1 - rate], steps: [null] } });`;

describe("a sweep on Slurm, Debian's own slurmctld and two slurmd", { skip: noCluster }, () => {
  const folder = temporaryFolder();
  let cluster: SlurmCluster;
  before(async () => {
    cluster = await SlurmCluster.start(path.join(folder, "cluster"));
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  const toy = (name: string, ...more: string[]) =>
    writeCells(folder, name, [
      code("const rate: number = 0.1;", "parameters"),
      code(sayAccuracy),
      ...more.map((source) => code(source)),
    ]);
  const sweepArgs = (file: string, out: string, ...args: string[]) => [
    "sweep",
    file,
    "--on",
    "slurm",
    "-o",
    path.join(folder, out),
    ...args,
  ];
  const surroundings = () => ({ env: cluster.env, through: cluster.through, timeout: 180_000 });
  const rates = (out: string) =>
    readFileSync(path.join(folder, out, "results.csv"), "utf8")
      .trim()
      .split("\r\n")
      .slice(1)
      .map((line) => line.split(",").slice(1, 4).join(" "));

  test("a job array runs the points, and a failed one is in the table", async () => {
    const file = toy("a.ipynb", 'if (rate === 0.2) throw new Error("too fast");');
    const { status, stderr } = await halftone(sweepArgs(file, "a", "-p", "rate=0.1,0.2,0.3"), surroundings());
    assert.equal(status, 1, stderr);
    assert.match(stderr, /3 points, 3 to run on Slurm\nSubmitted job \d+ to Slurm, with 3 points\./);
    assert.match(stderr, /\d\/3 {2}rate=0\.2 {2}failed in cell 4: Error: too fast/);
    assert.deepEqual(rates("a"), ["0.1 0.9 ok", "0.2 0.8 error", "0.3 0.7 ok"]);
  });

  test("--detach submits; the same command collects, and what Slurm refuses is said at once", async () => {
    const file = toy("b.ipynb");
    const detached = await halftone(sweepArgs(file, "b", "-p", "rate=0.1,0.2", "--detach"), surroundings());
    assert.equal(detached.status, 0, detached.stderr);
    assert.match(detached.stderr, /Slurm runs 2 points as job \d+; scancel \d+ stops them\./);
    const { status, stderr } = await halftone(sweepArgs(file, "b", "-p", "rate=0.1,0.2"), surroundings());
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /Submitted/);
    assert.deepEqual(rates("b"), ["0.1 0.9 ok", "0.2 0.8 ok"]);
    const refused = await halftone(
      sweepArgs(file, "b", "-p", "rate=0.3", "--sbatch", "--partition=none"),
      surroundings(),
    );
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /--on slurm: Slurm refuses the sweep: invalid partition specified: none/);
  });

  test("Ctrl-C cancels the tasks and keeps what has ended", async () => {
    const file = toy("c.ipynb", "if (rate > 0.1) await new Promise((done) => setTimeout(done, 120_000));");
    const running = start(sweepArgs(file, "c", "-p", "rate=0.1,0.2,0.3"), surroundings());
    await running.said("1/3  rate=0.1");
    running.kill("SIGINT");
    const { status, stderr } = await running.finished;
    assert.equal(status, 130, stderr);
    assert.match(stderr, /Interrupted: 1 of 3 points done, 2 not run; the same command runs them/);
    assert.deepEqual(rates("c"), ["0.1 0.9 ok"]);
    assert.doesNotMatch(cluster.run("squeue", "--noheader", "--format=%T"), /PENDING|RUNNING/);
  });

  test("a task that scancel takes out of the queue leaves its point for the next command", async () => {
    const go = path.join(folder, "go-on");
    const file = toy(
      "e.ipynb",
      `import { existsSync } from "node:fs";
       while (!existsSync(["go-", "on"].join(""))) await new Promise((done) => setTimeout(done, 100));`,
    );
    const running = start(sweepArgs(file, "e", "-p", "rate=0.1,0.2,0.3,0.4"), surroundings());
    await running.said("Submitted job");
    const queue = () => cluster.run("squeue", "--noheader", "--array", "--format=%F_%K %T");
    while (queue().match(/RUNNING/g)?.length !== 2) await new Promise((resolve) => setTimeout(resolve, 100));
    cluster.run("scancel", /^(\d+_3) PENDING/m.exec(queue())![1]!);
    writeFileSync(go, "");
    const { status, stderr } = await running.finished;
    assert.equal(status, 1, stderr);
    assert.match(stderr, /Task 3 of job \d+ left the queue before it began, perhaps by scancel; the same command runs/);
    assert.match(stderr, /3 of 4 points done, 1 not run; the same command runs it/);
    assert.deepEqual(rates("e"), ["0.1 0.9 ok", "0.2 0.8 ok", "0.3 0.7 ok"]);
  });

  test("the points of a node that is killed run on the other one, each once in the table", async () => {
    // Both points wait for a file, so that both nodes are at work when one of them ends.
    const go = path.join(folder, "go");
    const file = toy(
      "d.ipynb",
      `import { existsSync, writeFileSync } from "node:fs";
       writeFileSync("started-" + rate + "-" + process.env.SLURMD_NODENAME, "");
       while (!existsSync(["g", "o"].join(""))) await new Promise((done) => setTimeout(done, 100));`,
    );
    const running = start(sweepArgs(file, "d", "-p", "rate=0.1,0.2,0.3"), surroundings());
    const started = () => readdirSync(folder).filter((name) => name.startsWith("started-"));
    while (started().length < 2) await new Promise((resolve) => setTimeout(resolve, 100));
    cluster.killNode("n1");
    writeFileSync(go, "");
    const { status, stderr } = await running.finished;
    assert.equal(status, 0, stderr);
    assert.deepEqual(rates("d"), ["0.1 0.9 ok", "0.2 0.8 ok", "0.3 0.7 ok"]);
    // Two points began on n2, and the one of n1 began there again.
    assert.equal(started().filter((name) => name.endsWith("-n2")).length, 3, started().join());
  });
});
