import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Figure } from "../../src/plot/index.ts";
import type { History } from "../../src/train/index.ts";
import { stepTimes, trainingFigure } from "../../src/train/index.ts";
import { stepRecord } from "./step-record.ts";

const history = (steps: number): History => ({
  steps: Array.from({ length: steps }, (_, i) => stepRecord(i + 1, { loss: 2 / (i + 1) })),
  evaluations: [{ step: 0, loss: 2.3, metrics: { accuracy: 0.1 }, accuracy: 0.1 }],
  milliseconds: 20 * steps,
  ended: "all steps taken",
});
const trace = (figure: Figure, name: string) =>
  figure.data.find((each) => each.name === name) as { x: number[]; y: number[] };

describe("trainingFigure", () => {
  test("shows the loss, the validation loss and the useful tokens per second", () => {
    const drawn = trainingFigure(history(3), { total: 10 });
    assert.deepEqual(trace(drawn, "training loss"), {
      ...trace(drawn, "training loss"),
      x: [1, 2, 3],
      y: [2, 1, 2 / 3],
    });
    assert.deepEqual(trace(drawn, "validation loss").y, [2.3]);
    assert.ok(trace(drawn, "useful tokens/s").y.every((speed) => Math.abs(speed - 2500) < 1e-9));
    assert.deepEqual((drawn.layout.title as { text: string }).text, "Step 3 of 10");
  });

  test("is small however long the training is", () => {
    const drawn = trainingFigure(history(10_000));
    const { x, y } = trace(drawn, "useful tokens/s");
    assert.ok(x.length <= 300 && x.length > 200);
    assert.equal(x.at(-1), 10_000);
    assert.equal(y.length, x.length);
    assert.equal(trainingFigure(history(0)).data.length, 3, "and may be empty");
  });
});

test("stepTimes has an area for the two passes of captured steps", () => {
  const { steps, ...rest } = history(2);
  const captured = steps.map((record) => ({ ...record, times: { data: 1, gradients: 9, update: 2 } }));
  const drawn = stepTimes({ ...rest, steps: [...steps, ...captured] });
  const areas = (drawn.data as { name: string; y: number[] }[]).map(({ name, y }) => [name, ...y]);
  assert.deepEqual(areas, [
    ["data", 1, 1, 1, 1],
    ["forward", 4, 4, 0, 0],
    ["backward", 10, 10, 0, 0],
    ["forward and backward", 0, 0, 9, 9],
    ["update", 2, 2, 2, 2],
  ]);
});

test("stepTimes stacks the times of the parts of a step", () => {
  const drawn = stepTimes(history(2));
  assert.deepEqual(
    drawn.data.map((each) => [each.name, (each as { y: number[] }).y[0]]),
    [
      ["data", 1],
      ["forward", 4],
      ["backward", 10],
      ["update", 2],
    ],
  );
});
