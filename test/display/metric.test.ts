import assert from "node:assert/strict";
import { test } from "node:test";
import { metric } from "../../src/display/index.ts";
import { METRIC, metricSeries } from "../../src/display/metric-output.ts";
import { openNotebook } from "../kernel/fixture.ts";

const { run } = openNotebook();

test("a metric is one output of a cell, which holds all values when the cell has ended", async () => {
  const cell = await run(`
    import { metric } from "halftone/display";
    for (let step = 0; step < 1000; step++) metric("loss", 1 / (step + 1), { step: step * 2 });
    metric("accuracy", NaN);`);
  const displays = cell.outputs.filter((output) => output.type === "display");
  assert.equal(displays.length, 2);
  const { outputs } = cell;
  const last = (name: string) =>
    outputs.findLast((output) => "data" in output && (output.data[METRIC] as { name: string }).name === name) as {
      data: Record<string, unknown>;
    };
  assert.equal(last("loss").data["text/plain"], "loss: 0.001 at step 1998, 1000 values from 0.001 to 1");
  const [loss, accuracy] = metricSeries([last("loss"), last("accuracy")]);
  assert.equal(loss!.values.length, 1000);
  assert.deepEqual(loss!.steps.slice(-2), [1996, 1998]);
  assert.deepEqual(accuracy, { name: "accuracy", values: [Number.NaN], steps: [null] });
});

test("a series may be longer than a call's arguments", () => {
  const output = {
    data: { [METRIC]: { name: "loss", values: Array(300_000).fill(1), steps: Array(300_000).fill(null) } },
  };
  assert.equal(metricSeries([output, output])[0]!.values.length, 600_000);
});

test("a later cell begins an output of its own", async () => {
  const { outputs } = await run(`metric("loss", 0.5)`);
  assert.deepEqual(outputs, [
    {
      type: "display",
      displayId: (outputs[0] as { displayId: string }).displayId,
      data: { [METRIC]: { name: "loss", values: [0.5], steps: [null] }, "text/plain": "loss: 0.5" },
      metadata: {},
    },
  ]);
});

test("a metric is a number", () => {
  assert.throws(
    () => metric("loss", { dataId: 1 } as never),
    /metric\("loss"\): expected a number, got a tensor: pass item\(x\)/,
  );
  assert.throws(() => metric("loss", "0.5" as never), /metric\("loss"\): expected a number, got '0\.5'/);
  assert.throws(() => metric("", 1), /metric: expected a name, got ''/);
  assert.throws(
    () => metric("loss", 1, { step: Number.NaN }),
    /metric\("loss"\): step must be a finite number, got NaN/,
  );
});
