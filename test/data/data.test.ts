import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addingProblem, random, randomFrom, randomSplit, vocabulary } from "../../src/data/index.ts";

describe("the adding problem", () => {
  const examples = addingProblem({ count: 2000, seed: 7, minLength: 10, maxLength: 30 });

  test("labels a sequence with the sum of its two marked values", () => {
    for (const { features, length, label } of examples) {
      assert.equal(features.length, 2 * length);
      const marked = Array.from({ length }, (_, t) => t).filter((t) => features[2 * t + 1] === 1);
      assert.equal(marked.length, 2);
      assert.ok(marked[0]! < length / 2 && marked[1]! >= Math.floor(length / 2));
      assert.ok(Math.abs(features[2 * marked[0]!]! + features[2 * marked[1]!]! - label) < 1e-6);
    }
  });

  test("the constant answer 1 has a mean squared error of 1/6", () => {
    const error = examples.reduce((sum, { label }) => sum + (label - 1) ** 2, 0) / examples.length;
    assert.ok(Math.abs(error - 1 / 6) < 0.01, `${error}`);
  });

  test("draws lengths from the whole range", () => {
    const lengths = new Set(examples.map(({ length }) => length));
    assert.equal(lengths.size, 21);
    assert.throws(() => addingProblem({ count: 1, seed: 1, minLength: 1, maxLength: 5 }), /at least 2.*got 1/);
  });
});

describe("random", () => {
  test("a generator continues exactly from a saved state", () => {
    const first = random(42);
    first.normal();
    const state = first.state();
    const ahead = Array.from({ length: 5 }, () => first.uniform());
    const again = randomFrom(state);
    assert.deepEqual(
      Array.from({ length: 5 }, () => again.uniform()),
      ahead,
    );
  });

  test("uniform and normal numbers have the expected mean and variance", () => {
    const rng = random(1);
    const moments = (next: () => number) => {
      const values = Array.from({ length: 20_000 }, next);
      const mean = values.reduce((a, b) => a + b) / values.length;
      return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length] as const;
    };
    const [uniformMean, uniformVariance] = moments(() => rng.uniform());
    assert.ok(Math.abs(uniformMean - 1 / 2) < 0.01 && Math.abs(uniformVariance - 1 / 12) < 0.005);
    const [normalMean, normalVariance] = moments(() => rng.normal());
    assert.ok(Math.abs(normalMean) < 0.03 && Math.abs(normalVariance - 1) < 0.05);
  });

  test("shuffle neither loses nor repeats an item", () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const shuffled = random(3).shuffle(items);
    assert.notDeepEqual(shuffled, items);
    assert.deepEqual(
      shuffled.toSorted((a, b) => a - b),
      items,
    );
  });
});

describe("split", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);

  test("puts each example on exactly one side, the same one for the same seed", () => {
    const { train, validation } = randomSplit(items, { validation: 0.2, seed: 1 });
    assert.equal(validation.length, 10);
    assert.deepEqual(
      [...train, ...validation].toSorted((a, b) => a - b),
      items,
    );
    assert.deepEqual(randomSplit(items, { validation: 10, seed: 1 }).validation, validation);
  });

  test("rejects a share that leaves one side empty", () => {
    assert.throws(
      () => randomSplit(items, { validation: 50, seed: 1 }),
      /at least one example on both sides: 50 of 50/,
    );
    assert.throws(() => randomSplit(items, { validation: 0, seed: 1 }), /both sides/);
  });
});

test("a vocabulary reports an unknown token or id and its position", () => {
  const words = vocabulary(["a", "b"]);
  assert.deepEqual([...words.encode(["b", "a"])], [2, 1]);
  assert.throws(() => words.encode(["a", "c"]), /token 1 \("c"\) is not in the vocabulary/);
  assert.throws(() => words.decode([3]), /id 3 at position 0 is outside the vocabulary \(size 3\)/);
});
