import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  batchRectangles,
  dynamicLengthPlan,
  fixedLengthPlan,
  packedPlan,
  paddingComparison,
  planStatistics,
} from "../../src/batching/index.ts";
import type { Figure } from "../../src/plot/index.ts";

const lengths = [3, 1, 2, 5];
const area = (figure: Figure, name: string) => {
  const { x, y } = figure.data.find((each) => each.name === name) as { x: number[]; y: number[] };
  let sum = 0;
  for (let i = 0; i < x.length; i += 6) sum += (x[i + 1]! - x[i]!) * (y[i + 2]! - y[i]!);
  return sum;
};

describe("batchRectangles", () => {
  test("draws the area of the tokens and of the padding", () => {
    const drawn = batchRectangles(dynamicLengthPlan(lengths, { batchSize: 2 }));
    assert.equal(area(drawn, "tokens"), 11);
    assert.equal(area(drawn, "padding"), 2 + 3);
    assert.match((drawn.layout.title as { text: string }).text, /^Dynamic length: 31.3% padding$/);
  });

  test("draws the rectangles of several sequences side by side", () => {
    const plan = packedPlan(
      { source: [2, 1, 3], target: [1, 2, 2] },
      { batchSize: 2, maxLength: { source: 5, target: 4 } },
    );
    const drawn = batchRectangles(plan);
    assert.equal(area(drawn, "source") + area(drawn, "next source in the row"), 6);
    assert.equal(area(drawn, "target") + area(drawn, "next target in the row"), 5);
    // Two rows of 5 + 4 slots.
    assert.equal(area(drawn, "padding"), 18 - 11);
    const { x } = drawn.data.find(({ name }) => name === "target") as { x: number[] };
    assert.ok(Math.min(...x.filter((value) => value !== null)) > 5);
  });

  test("gives the padding of the epoch, and of the drawn batches where these are fewer", () => {
    const plan = fixedLengthPlan([4, 1, 1, 1], { batchSize: 1, maxLength: 4 });
    const words = (batches: number) => {
      const { title, yaxis } = batchRectangles(plan, { batches }).layout;
      return [(title as { text: string }).text, (yaxis!.title as { text: string }).text];
    };
    // 7 tokens in 16 cells; 5 in the first 8.
    assert.deepEqual(words(2), [
      "Fixed length: 56.3% padding in the epoch",
      "rows of the first 2 batches, 37.5% padding",
    ]);
    assert.deepEqual(words(4), ["Fixed length: 56.3% padding", "rows of the first 4 batches"]);
  });

  test("distinguishes the packed sequences of a row", () => {
    const drawn = batchRectangles(packedPlan(lengths, { batchSize: 2, maxLength: 6 }));
    const [first, next] = ["tokens", "next sequence in the row"].map((name) => area(drawn, name));
    assert.equal(first! + next!, 11);
    assert.ok(next! > 0);
  });
});

test("paddingComparison stacks tokens and padding for each plan", () => {
  const plans = [
    fixedLengthPlan(lengths, { batchSize: 2, maxLength: 5 }),
    dynamicLengthPlan(lengths, { batchSize: 2 }),
  ];
  const { data } = paddingComparison([plans[0]!, planStatistics(plans[1]!)], { names: ["a", "b"] });
  assert.deepEqual(
    data.map((each) => [each.name, (each as { x: string[] }).x, (each as { y: number[] }).y]),
    [
      ["tokens", ["a", "b"], [11, 11]],
      ["padding", ["a", "b"], [9, 5]],
    ],
  );
});
