import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { epochWork, plan, stepWork } from "../../src/batching/index.ts";

const sizes = { features: 2, layers: 3, hidden: 5 };

describe("stepWork", () => {
  test("counts the operations of the matrix products, as counted by hand", () => {
    // A token of one layer: queries, keys, values and output 4 * 2 * 2, feed-forward 2 * 2 * 5, scores and mixture 2 * 7 * 2.
    const products = 16 + 20 + 28;
    assert.equal(stepWork(sizes, 4, 7), 3 * 2 * (4 * 7) * 3 * products);
    assert.equal(stepWork({ features: 2, layers: 3 }, 1, 1), 3 * 2 * 3 * (16 + 2 * 2 * 8 + 4));
  });

  test("sums to epochWork over an epoch, padding included", () => {
    const two = plan("two", [3, 1, 5], {}, () => [
      { time: 3, rows: [[0], [1]] },
      { time: 5, rows: [[2]] },
    ]);
    assert.equal(epochWork(sizes, two), stepWork(sizes, 2, 3) + stepWork(sizes, 1, 5));
  });
});
