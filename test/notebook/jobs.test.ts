import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentFor, inTurns, jobsFor } from "../../src/notebook/jobs.ts";

const GIB = 2 ** 30;

test("two notebooks run at once if each has a core and 3 GiB, and a GPU is not shared", () => {
  const roomy = { cores: 2, memory: 16 * GIB, gpu: false };
  assert.equal(jobsFor(7, roomy), 2);
  assert.equal(jobsFor(1, roomy), 1);
  assert.equal(jobsFor(7, { ...roomy, cores: 1 }), 1);
  assert.equal(jobsFor(7, { ...roomy, cores: 64 }), 2);
  assert.equal(jobsFor(7, { ...roomy, memory: 5 * GIB }), 1);
  assert.equal(jobsFor(7, { ...roomy, memory: 1 * GIB }), 1);
  assert.equal(jobsFor(7, { ...roomy, gpu: true }), 1);
});

test("notebooks that run at once share the cores; a single one has them all", () => {
  const machine = { cores: 9, memory: 16 * GIB, gpu: false };
  const asked = process.env.TF_NUM_INTRAOP_THREADS;
  delete process.env.TF_NUM_INTRAOP_THREADS;
  try {
    assert.equal(environmentFor(2, machine).TF_NUM_INTRAOP_THREADS, "4");
    assert.equal(environmentFor(1, machine).TF_NUM_INTRAOP_THREADS, undefined);
    process.env.TF_NUM_INTRAOP_THREADS = "3";
    assert.equal(environmentFor(2, machine).TF_NUM_INTRAOP_THREADS, "3");
  } finally {
    if (asked === undefined) delete process.env.TF_NUM_INTRAOP_THREADS;
    else process.env.TF_NUM_INTRAOP_THREADS = asked;
  }
});

test("inTurns limits concurrency, keeps the items' order and passes a failure on", async () => {
  let underWay = 0;
  let most = 0;
  const results = await inTurns(2, [3, 1, 2, 5], async (item) => {
    most = Math.max(most, ++underWay);
    for (let turn = 0; turn < item; turn++) await Promise.resolve();
    underWay--;
    return item * 10;
  });
  assert.deepEqual(results, [30, 10, 20, 50]);
  assert.equal(most, 2);
  await assert.rejects(
    inTurns(2, [1], () => Promise.reject(new Error("broken"))),
    /broken/,
  );
});
