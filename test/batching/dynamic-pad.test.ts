import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dynamicPad, fixedPad, plan, planStatistics, uniformLengthBatches } from "../../src/batching/index.ts";

describe("dynamicPad", () => {
  test("is as wide as its longest sequence, or the next multiple, within maxLength", () => {
    const sequences = [[1, 2, 3], [4]];
    assert.deepEqual(dynamicPad(sequences), fixedPad(sequences, { maxLength: 3 }));
    assert.equal(dynamicPad(sequences, { padToMultipleOf: 8 }).time, 8);
    assert.equal(dynamicPad(sequences, { padToMultipleOf: 8, maxLength: 6 }).time, 6);
    assert.deepEqual(dynamicPad(sequences, { maxLength: 2 }).truncated, { sequences: 1, tokens: 1 });
    assert.throws(() => dynamicPad(sequences, { padToMultipleOf: 0 }), /padToMultipleOf must be/);
  });

  for (const [name, sequences, options, message] of [
    ["an empty list", [], {}, /at least one sequence, got none/],
    ["an empty sequence", [[1], []], {}, /sequence 1 is empty/],
    ["a maxLength of 0", [[1]], { maxLength: 0 }, /maxLength must be a positive integer, got 0/],
    [
      "a token outside the vocabulary",
      [[1], [2, 7]],
      { vocabularySize: 7 },
      /sequence 1 has id 7 at token 1, .* \(size 7\)/,
    ],
    ["a negative token", [[-1]], { vocabularySize: 7 }, /sequence 0 has id -1 at token 0/],
    ["a padding of 0.5", [[1]], { paddingValue: 0.5 }, /paddingValue must be an integer, got 0.5/],
  ] as const) {
    test(`rejects ${name}`, () => assert.throws(() => dynamicPad(sequences, options), message));
  }
});

describe("labels", () => {
  const tokens = [1];
  test("must be given for all sequences or for none", () => {
    const some = [{ tokens, label: 1 }, { tokens }];
    assert.throws(
      () => uniformLengthBatches(some, { batchSize: 2 }),
      /sequence 1 has no label, but sequence 0 has one/,
    );
    assert.throws(
      () => uniformLengthBatches(some.toReversed(), { batchSize: 2 }),
      /sequence 1 has a label, but sequence 0 has none/,
    );
    const nan = [{ tokens, label: Number.NaN }];
    assert.throws(() => uniformLengthBatches(nan, { batchSize: 2 }), /sequence 0 has the label NaN/);
  });
});

describe("planStatistics", () => {
  test("match the counts of a small plan, made by hand", () => {
    const small = plan("by hand", [1, 3, 2, 2], {}, () => [
      { time: 3, rows: [[0], [1]] },
      { time: 4, rows: [[2, 3]] },
    ]);
    assert.deepEqual(planStatistics(small), {
      strategy: "by hand",
      batches: 2,
      sequences: 4,
      slots: 10,
      useful: 8,
      paddingShare: 1 - 8 / 10,
      usefulPerBatch: { mean: 4, least: 4, most: 4 },
      largestBatch: 6,
      shapes: 2,
      neighbourCorrelation: 0,
      lengthShareBetween: 0,
      attention: { computed: 2 * 9 + 16, useful: 1 + 9 + 4 + 4 },
      truncated: { sequences: 0, tokens: 0 },
    });
  });

  test("distinguish sorted batches from shuffled ones", () => {
    const lengths = Array.from({ length: 80 }, (_, i) => 1 + Math.floor(i / 4));
    const batches = (order: (n: number) => number) =>
      plan("", lengths, {}, () =>
        Array.from({ length: 20 }, (_, n) => ({ time: 20, rows: [0, 1, 2, 3].map((r) => [4 * order(n) + r]) })),
      );
    const sorted = planStatistics(batches((n) => n));
    const mixed = planStatistics(batches((n) => (7 * n) % 20));
    assert.ok(Math.abs(sorted.neighbourCorrelation - 1) < 1e-12);
    assert.ok(mixed.neighbourCorrelation < 0.3);
    assert.equal(sorted.lengthShareBetween, 1);
  });
});
