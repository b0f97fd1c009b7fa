import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Batch, fixedLengthBatches, fixedPad, paddingStatistics, usefulTokens } from "../../src/batching/index.ts";
import { random } from "../../src/data/index.ts";

/** Row by row, so that a test shows the rectangle. */
const grid = ({ rows, time }: Batch, cells: ArrayLike<number>) =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: time }, (_, t) => cells[row * time + t]));

describe("fixedPad", () => {
  test("pads on the right and marks the tokens in the mask", () => {
    const batch = fixedPad([[5, 6, 7], [8]], { maxLength: 4 });
    assert.deepEqual(grid(batch, batch.ids), [
      [5, 6, 7, 0],
      [8, 0, 0, 0],
    ]);
    assert.deepEqual(grid(batch, batch.mask), [
      [1, 1, 1, 0],
      [1, 0, 0, 0],
    ]);
    assert.deepEqual(grid(batch, batch.positions), [
      [0, 1, 2, 0],
      [0, 0, 0, 0],
    ]);
    assert.deepEqual(grid(batch, batch.segments), [
      [1, 1, 1, 0],
      [1, 0, 0, 0],
    ]);
    assert.deepEqual([...batch.lengths], [3, 1]);
  });

  test("pads on the left, with positions that start at the first token", () => {
    const batch = fixedPad([[5, 6]], { maxLength: 4, side: "left", paddingValue: 9 });
    assert.deepEqual(grid(batch, batch.ids), [[9, 9, 5, 6]]);
    assert.deepEqual(grid(batch, batch.mask), [[0, 0, 1, 1]]);
    assert.deepEqual(grid(batch, batch.positions), [[0, 0, 0, 1]]);
  });

  test("truncates the end or the start of long sequences and counts it", () => {
    const end = fixedPad([[1, 2, 3, 4], [5]], { maxLength: 2 });
    assert.deepEqual(grid(end, end.ids), [
      [1, 2],
      [5, 0],
    ]);
    assert.deepEqual(end.truncated, { sequences: 1, tokens: 2 });
    const start = fixedPad([[1, 2, 3, 4]], { maxLength: 2, truncate: "start" });
    assert.deepEqual([...start.ids], [3, 4]);
    assert.throws(
      () => fixedPad([[1], [1, 2, 3]], { maxLength: 2, truncate: false }),
      /sequence 1 has 3 tokens, but maxLength is 2: raise it, or set truncate/,
    );
  });

  for (const [name, sequences, maxLength, message] of [
    ["an empty list", [], 4, /at least one sequence, got none/],
    ["an empty sequence", [[1], []], 4, /sequence 1 is empty/],
    ["a maxLength of 0", [[1]], 0, /maxLength must be a positive integer, got 0/],
    ["a maxLength of 2.5", [[1]], 2.5, /got 2.5/],
    ["a token that is not an integer", [[1], [2, 0.5]], 4, /sequence 1 has 0.5 at token 1/],
    ["a token that is NaN", [[Number.NaN]], 4, /sequence 0 has NaN at token 0/],
  ] as const) {
    test(`rejects ${name}`, () => assert.throws(() => fixedPad(sequences, { maxLength }), message));
  }
});

describe("fixedLengthBatches", () => {
  const rng = random(1);
  const examples = Array.from({ length: 53 }, (_, i) => ({
    tokens: Int32Array.from({ length: rng.integer(1, 21) }, () => rng.integer(1, 10)),
    label: i,
  }));
  const batches = fixedLengthBatches(examples, { batchSize: 8, maxLength: 20, seed: 4 });

  test("gives every example once per epoch, with its label and tokens", () => {
    const seen: number[] = [];
    for (const batch of batches) {
      batch.indices.forEach((index, row) => {
        seen.push(index);
        const { tokens, label } = examples[index]!;
        assert.equal(batch.labels![row], label);
        assert.deepEqual(batch.ids.slice(row * 20, row * 20 + tokens.length), tokens);
      });
    }
    assert.equal([...batches].length, batches.count);
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      examples.map((_, i) => i),
    );
  });

  test("shuffles each epoch differently, and the same way again", () => {
    const order = (epoch: number) => [...batches.epoch(epoch)].flatMap(({ indices }) => [...indices]);
    assert.deepEqual(order(0), order(0));
    assert.notDeepEqual(order(0), order(1));
  });

  test("pads as much as its statistics report", () => {
    const useful = examples.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const statistics = paddingStatistics(batches);
    assert.equal(statistics.slots, 53 * 20);
    assert.equal(statistics.useful, useful);
    assert.equal(statistics.paddingShare, 1 - useful / (53 * 20));
    assert.equal(statistics.shapes, 2, "the last batch has fewer rows");
    assert.equal(usefulTokens(fixedPad([[1, 2], [3]], { maxLength: 8 })), 3);
  });

  test("can drop the incomplete last batch", () => {
    const whole = fixedLengthBatches(examples, { batchSize: 8, maxLength: 20, dropLast: true });
    assert.deepEqual(new Set([...whole].map(({ rows }) => rows)), new Set([8]));
    assert.throws(() => fixedLengthBatches([], { batchSize: 8, maxLength: 20 }), /at least one sequence, got none/);
    assert.throws(() => fixedLengthBatches(examples, { batchSize: 0, maxLength: 20 }), /batchSize must be/);
  });
});
