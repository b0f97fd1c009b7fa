/** What `halftone train --on ray://HOST` sends; test/sweep/ray/train-in-cluster.ts has the tests with Ray itself. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { unzipSync } from "fflate";
import { UserError } from "../../src/base/user-error.ts";
import { train } from "../../src/cli/train.ts";
import { jobArchive, readTraining } from "../../src/launch/ray/training.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const job = { workers: 2, command: ["halftone"], cpus: 1, env: {} };

test("a script travels with the files that it and its arguments name, and another build refuses to run it", () => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "data"));
  const files = { "train.ts": 'import "./rate.ts";', "rate.ts": "export {};", "data/a.csv": "1", "other.csv": "2" };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const given = { program: "train.ts", args: ["--data", "data/a.csv"], parameters: {}, timeout: 60 };
  const archive = unzipSync(jobArchive(path.join(folder, "train.ts"), given, job));
  assert.deepEqual(Object.keys(archive).sort(), ["cluster.py", "job.json", "project.zip", "train.py"]);
  const project = unzipSync(archive["project.zip"]!);
  assert.deepEqual(Object.keys(project).sort(), [
    "files/data/a.csv",
    "files/rate.ts",
    "files/train.ts",
    "training.json",
  ]);
  const stored = Buffer.from(project["training.json"]!).toString();
  writeFileSync(path.join(folder, "training.json"), stored);
  const { version: _, build, ...read } = readTraining(folder);
  assert.deepEqual(read, given);
  writeFileSync(path.join(folder, "training.json"), stored.replace(build, "0123456789abcdef"));
  assert.throws(
    () => readTraining(folder),
    (error) =>
      error instanceof UserError && /build 0123456789abcdef\), but .*: install the same build/.test(error.message),
  );
});

test("options of a Ray cluster are refused without one", async () => {
  await assert.rejects(train("none.ts", [], { workers: 2, cpus: 2 }), /--cpus is for a Ray cluster: give --workers N/);
  await assert.rejects(train("none.ts", [], { hosts: "hosts", on: "ray://head" }), /--on is for a Ray cluster/);
  await assert.rejects(train("none.ts", [], { on: "ray://head" }), /Give either --workers N/);
  await assert.rejects(train("none.ts", [], { workers: 2, on: "slurm" }), /There is no script or notebook at none\.ts/);
});
