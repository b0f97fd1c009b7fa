import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { describeTree, load } from "../../src/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type OwnRunOptions, run } from "./own-runs.ts";

const folder = temporaryFolder();
const whole = await run({});
const comparable = ({ history }: typeof whole) => ({
  steps: history.steps.map(({ step, epoch, loss, metrics, sequences }) => ({ step, epoch, loss, metrics, sequences })),
  evaluations: history.evaluations,
});

async function aborted(options: OwnRunOptions, at: number) {
  const stop = new AbortController();
  const { history } = await run({ ...options, signal: stop.signal, onStep: (step) => step === at && stop.abort() });
  assert.deepEqual([history.ended, history.steps.length], ["aborted", at]);
}

describe("a training of a model of one's own, resumed,", () => {
  test("has the same bits as an uninterrupted one, running statistics included, after its process was killed", async () => {
    const path = join(folder, "killed.safetensors");
    const script = fileURLToPath(new URL("./own-runs.js", import.meta.url));
    const child = spawn(process.execPath, [script, path, "9"], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface({ input: child.stdout })) if (line === "9") child.kill("SIGKILL");
    assert.match(readFileSync(path, "latin1"), /\\"step\\":8,/);
    const resumed = await run({ path });
    assert.equal(resumed.bits, whole.bits);
    assert.deepEqual(comparable(resumed), comparable(whole));
    // 20 steps of 3 batches; every fourth batch is the last one of its epoch, and its step has that one alone.
    const steps = whole.model.parameters.statistics.steps.dataSync()[0]!;
    assert.deepEqual([steps, resumed.model.parameters.statistics.steps.dataSync()[0]], [40, 40]);
    assert.equal(resumed.model.parameters.statistics.steps.dtype, "int32");
  });

  for (const of of ["array", "function"] as const) {
    test(`equals an uninterrupted one on batches of one's own in an ${of}`, async () => {
      const path = join(folder, `${of}.safetensors`);
      await aborted({ path, of }, 7);
      const resumed = await run({ path, of });
      const once = await run({ of });
      assert.equal(resumed.bits, once.bits);
      assert.deepEqual(comparable(resumed), comparable(once));
    });
  }

  test("is rejected with other data, another number of batches, or another seed", async () => {
    const path = join(folder, "array.safetensors");
    await assert.rejects(run({ path, of: "function" }), /is a checkpoint of other sequences/);
    await assert.rejects(run({ path }), /with strategy batches of your own, not arrays/);
    await assert.rejects(run({ path, of: "array", seed: 6 }), /with seed 5, not 6/);
  });

  test("leaves a safetensors file with every variable by path", () => {
    const text = describeTree(load(join(folder, "killed.safetensors")));
    for (const line of ["first: [4, 8] float32", "statistics.mean: [8] float32", "statistics.steps: [1] int32"]) {
      assert.ok(text.includes(`model/${line}`), text);
    }
  });
});
