import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Executor, Sweep } from "../../src/sweep/executor.ts";
import type { Plan } from "../../src/sweep/plan.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { Store } from "../../src/sweep/store.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { record } from "./records.ts";

const records = ["a", "b", "c"].map((id, at) => record(id, { rate: at }, { loss: [at] }));
const plan: Plan = {
  format: 1,
  notebook: "toy.ipynb",
  folder: "..",
  identity: { source: "", inputs: {}, version: "1.2.3", build: "" },
  points: records.map(({ id, parameters }) => ({ id, parameters })),
};
const sweepIn = (folder: string): Sweep => ({ plan, store: new Store(folder), folder, say: () => {} });

/** Ends the first of the points, and works on the others until it is stopped. */
const slow: Executor = {
  place: "nowhere",
  async *run({ store }, points, { signal }) {
    const first = records.find(({ id }) => id === points[0]!.id)!;
    store.save(first);
    yield first;
    if (!signal.aborted) await once(signal, "abort");
  },
  detach: () => Promise.reject(new Error("not here")),
};

test("--time-budget stops the points that run and keeps those that have ended", async () => {
  const sweep = sweepIn(temporaryFolder());
  const first = await runSweep(slow, sweep, { timeBudget: 0.01 });
  assert.deepEqual(first, { records: [records[0]], stopped: "time" });
  const second = await runSweep(slow, sweep, { timeBudget: 0.01 });
  assert.deepEqual(second, { records: records.slice(0, 2), stopped: "time" });
});

test("a time budget of a month is not taken for none", async (context) => {
  const sweep = sweepIn(temporaryFolder());
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const running = runSweep(slow, sweep, { timeBudget: 30 * 24 * 3600, onPoint: () => context.mock.timers.tick(1000) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sweep.store.records(plan.points).length, 1);
  context.mock.timers.tick(2 ** 31);
  assert.deepEqual(await running, { records: [records[0]], stopped: "time" });
});
