import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  batchesFrom,
  bucketBoundaries,
  bucketPlan,
  dynamicLengthPlan,
  fixedLengthPlan,
  type Plan,
  packedPlan,
  plan,
  planFrom,
  planStatistics,
  tokenBudgetPlan,
  uniformLengthPlan,
  usefulTokens,
} from "../../src/batching/index.ts";
import { random } from "../../src/data/index.ts";

const LONGEST = 60;
const strategies: Record<string, (lengths: number[], seed: number | undefined, batchSize: number) => Plan> = {
  "fixed length": (lengths, seed, batchSize) =>
    fixedLengthPlan(lengths, { seed: seed!, batchSize, maxLength: LONGEST }),
  "dynamic length": (lengths, seed, batchSize) =>
    dynamicLengthPlan(lengths, { seed: seed!, batchSize, padToMultipleOf: 8 }),
  "uniform length": (lengths, seed, batchSize) => uniformLengthPlan(lengths, { seed: seed!, batchSize }),
  "uniform length with noise": (lengths, seed, batchSize) =>
    uniformLengthPlan(lengths, { seed: seed!, batchSize, noise: 0.2 }),
  "mega-batches": (lengths, seed, batchSize) =>
    uniformLengthPlan(lengths, { seed: seed!, batchSize, sort: "mega-batches", megaBatch: 3 }),
  "buckets by boundaries": (lengths, seed, batchSize) =>
    bucketPlan(lengths, { seed: seed!, batchSize, boundaries: [4, 9, 30] }),
  "buckets by quantiles": (lengths, seed, batchSize) =>
    bucketPlan(lengths, { seed: seed!, batchSize, quantiles: 4, leftovers: "widen" }),
  "buckets by shapes": (lengths, seed, batchSize) =>
    bucketPlan(lengths, { seed: seed!, batchSize, shapes: 3, padTo: "longest" }),
  "token budget": (lengths, seed, batchSize) =>
    tokenBudgetPlan(lengths, { seed: seed!, maxTokens: LONGEST + 7 * batchSize, rowsMultipleOf: 2 }),
  "packed, first fit": (lengths, seed, batchSize) =>
    packedPlan(lengths, { seed: seed!, batchSize, maxLength: LONGEST, algorithm: "first-fit", maxSequencesPerRow: 4 }),
  "packed, shortest pack first": (lengths, seed, batchSize) =>
    packedPlan(lengths, { seed: seed!, batchSize, maxLength: LONGEST, padTo: "longest" }),
};

const someLengths = fc.array(fc.integer({ min: 1, max: LONGEST }), { minLength: 1, maxLength: 80 });
const inputs = [someLengths, fc.option(fc.integer(), { nil: undefined }), fc.integer({ min: 1, max: 9 })] as const;
const ascending = (values: readonly number[]) => values.toSorted((a, b) => a - b);
const everyIndex = (count: number) => Array.from({ length: count }, (_, i) => i);

for (const [name, strategy] of Object.entries(strategies)) {
  describe(name, () => {
    test("has each sequence once in every epoch, in rows that fit", () => {
      fc.assert(
        fc.property(...inputs, fc.integer({ min: 0, max: 3 }), (lengths, seed, batchSize, epoch) => {
          const batches = strategy(lengths, seed, batchSize).epoch(epoch);
          const seen = batches.flatMap(({ rows }) => rows.flat());
          assert.deepEqual(ascending(seen), everyIndex(lengths.length));
          for (const { time, rows } of batches) {
            for (const row of rows) {
              assert.ok(row.length > 0 && row.reduce((sum, i) => sum + lengths[i]!, 0) <= time);
            }
          }
        }),
      );
    });

    test("depends on lengths and seed only, not on earlier requests", () => {
      fc.assert(
        fc.property(...inputs, (lengths, seed, batchSize) => {
          const once = strategy(lengths, seed, batchSize);
          once.epoch(3);
          assert.deepEqual(once.epoch(1), strategy([...lengths], seed, batchSize).epoch(1));
        }),
        { numRuns: 30 },
      );
    });

    test("differs between epochs", () => {
      const lengths = Array.from({ length: 200 }, (_, i) => 1 + (i % LONGEST));
      const drawn = strategy(lengths, 5, 8);
      assert.notDeepEqual(drawn.epoch(0), drawn.epoch(1));
    });

    test("makes batches with each sequence's tokens, positions from 0 and label", () => {
      fc.assert(
        fc.property(...inputs, (lengths, seed, batchSize) => {
          let id = 1;
          const examples = lengths.map((length, i) => ({
            tokens: Int32Array.from({ length }, () => id++),
            label: i,
          }));
          for (const batch of batchesFrom(examples, strategy(lengths, seed, batchSize))) {
            let n = 0;
            for (let row = 0; row < batch.rows; row++) {
              let segment = 0;
              for (let t = 0; t < batch.time; t++) {
                const at = row * batch.time + t;
                if (!batch.mask[at]) {
                  assert.deepEqual([batch.ids[at], batch.positions[at], batch.segments[at]], [0, 0, 0]);
                  continue;
                }
                if (batch.positions[at] === 0) segment++;
                const { tokens, label } = examples[batch.indices[n + segment - 1]!]!;
                assert.equal(batch.ids[at], tokens[batch.positions[at]!]);
                assert.equal(batch.segments[at], segment);
                assert.equal(batch.labels![n + segment - 1], label);
              }
              n += segment;
            }
            assert.equal(n, batch.indices.length);
            assert.equal(
              usefulTokens(batch),
              batch.mask.reduce((sum, token) => sum + token, 0),
            );
          }
        }),
        { numRuns: 30 },
      );
    });
  });
}

test("a plan resumes exactly in the middle of an epoch", () => {
  const lengths = Array.from({ length: 50 }, (_, i) => 1 + ((7 * i) % 31));
  const whole = uniformLengthPlan(lengths, { batchSize: 8, seed: 2 });
  const take = (from: { epoch: number; batch: number }, count: number) => {
    const taken = [];
    for (const step of planFrom(whole, from)) {
      taken.push(step);
      if (taken.length === count) break;
    }
    return taken;
  };
  const all = take({ epoch: 0, batch: 0 }, 20);
  assert.deepEqual(all.slice(9), take({ epoch: 1, batch: 2 }, 11));
  const batches = batchesFrom(
    lengths.map((length) => new Int32Array(length).fill(1)),
    whole,
  );
  assert.deepEqual([...batches.epoch(1, 3)], [...batches.epoch(1)].slice(3));
});

describe("uniform length", () => {
  const rng = random(3);
  const lengths = Array.from({ length: 1000 }, () => Math.ceil(Math.exp(1.5 + 0.9 * rng.normal())));

  test("pads less than dynamic padding, which pads less than fixed padding", () => {
    const maxLength = Math.max(...lengths);
    const share = (of: Plan) => planStatistics(of).paddingShare;
    const fixed = share(fixedLengthPlan(lengths, { batchSize: 20, seed: 1, maxLength }));
    const dynamic = share(dynamicLengthPlan(lengths, { batchSize: 20, seed: 1 }));
    const uniform = share(uniformLengthPlan(lengths, { batchSize: 20, seed: 1 }));
    const mega = share(uniformLengthPlan(lengths, { batchSize: 20, seed: 1, sort: "mega-batches" }));
    assert.ok(uniform < mega && mega < dynamic && dynamic < fixed, `${[uniform, mega, dynamic, fixed]}`);
  });

  test("puts the batch that needs the most memory first", () => {
    for (const sort of ["exact", "mega-batches"] as const) {
      const batches = uniformLengthPlan(lengths, { batchSize: 20, seed: 9, sort }).epoch(2);
      assert.equal(batches[0]!.time, Math.max(...lengths));
    }
  });

  test("sorts mega-batches as transformers' get_length_grouped_indices does", () => {
    // min(1000 / (4 * 20), 50) = 12 batches, 240 sequences, longest first inside each mega-batch.
    const options = {
      batchSize: 20,
      seed: 9,
      sort: "mega-batches",
      shuffleBatches: false,
      longestFirst: false,
    } as const;
    const order = uniformLengthPlan(lengths, options)
      .epoch(0)
      .flatMap(({ rows }) => rows.flat());
    for (let from = 0; from < 1000; from += 240) {
      const part = order.slice(from, from + 240).map((i) => lengths[i]!);
      assert.deepEqual(
        part,
        part.toSorted((a, b) => b - a),
      );
    }
    assert.ok(lengths[order[240]!]! > lengths[order[239]!]!);
  });

  test("keeps the order of examples and batches without a seed", () => {
    const dynamic = dynamicLengthPlan([3, 1, 2], { batchSize: 2 }).epoch(4);
    assert.deepEqual(dynamic, [
      { time: 3, rows: [[0], [1]] },
      { time: 2, rows: [[2]] },
    ]);
    assert.deepEqual(uniformLengthPlan([3, 1, 2], { batchSize: 2 }).epoch(0), [
      { time: 3, rows: [[0], [2]] },
      { time: 1, rows: [[1]] },
    ]);
  });
});

describe("buckets", () => {
  test("with tf.data's example boundaries contain what tf.data puts there", () => {
    // bucket_by_sequence_length(boundaries=[3, 5]): lengths below 3, below 5, and the rest; here the longest of each is given.
    const batches = bucketPlan([1, 2, 3, 4, 5, 9], { batchSize: 2, boundaries: [2, 4], longestFirst: false }).epoch(0);
    assert.deepEqual(batches, [
      { time: 2, rows: [[0], [1]] },
      { time: 4, rows: [[2], [3]] },
      { time: 9, rows: [[4], [5]] },
    ]);
  });

  test("by number of shapes have the least padding possible with that many widths", () => {
    const cellsOf = (lengths: number[], widths: number[]) =>
      lengths.reduce((sum, length) => sum + widths.find((wide) => wide >= length)!, 0);
    const few = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(few, (lengths) => {
        const found = bucketBoundaries(Int32Array.from(lengths), { shapes: 3 });
        const distinct = ascending([...new Set(lengths)]);
        const longest = distinct.at(-1)!;
        let least = Number.POSITIVE_INFINITY;
        for (const a of distinct) {
          for (const b of distinct) least = Math.min(least, cellsOf(lengths, ascending([a, b, longest])));
        }
        assert.ok(found.length <= 3);
        assert.equal(cellsOf(lengths, found), least);
      }),
    );
  });

  test("have no more shapes than requested when small last batches are widened", () => {
    const lengths = Array.from({ length: 97 }, (_, i) => 1 + ((i * i) % 40));
    const statistics = planStatistics(bucketPlan(lengths, { batchSize: 8, shapes: 4, seed: 1, leftovers: "widen" }));
    assert.equal(statistics.shapes, 5, "four widths, and the widest with fewer rows");
    const dropped = bucketPlan(lengths, { batchSize: 8, shapes: 4, seed: 1, leftovers: "drop" });
    assert.ok(planStatistics(dropped).shapes <= 4);
  });

  test("can each have their own batch size", () => {
    const lengths = [1, 1, 1, 1, 8, 8];
    const rows = (of: Plan) => of.epoch(0).map((batch) => batch.rows.length);
    assert.deepEqual(rows(bucketPlan(lengths, { boundaries: [1], batchSize: [4, 1], longestFirst: false })), [4, 1, 1]);
    assert.throws(() => bucketPlan(lengths, { boundaries: [1], batchSize: [4] }), /each of the 2 buckets, got 1/);
    assert.throws(() => bucketPlan(lengths, { boundaries: [4, 4], batchSize: 1 }), /boundary 1 is 4 after 4/);
    assert.throws(() => bucketPlan(lengths, { shapes: 0, batchSize: 1 }), /shapes must be a positive integer, got 0/);
  });
});

describe("a token budget", () => {
  test("is never exceeded, and mostly used", () => {
    fc.assert(
      fc.property(someLengths, fc.integer({ min: LONGEST, max: 400 }), (lengths, maxTokens) => {
        for (const { time, rows } of tokenBudgetPlan(lengths, { maxTokens, seed: 1 }).epoch(0)) {
          assert.ok(time * rows.length <= maxTokens);
        }
      }),
    );
    const lengths = Array.from({ length: 500 }, (_, i) => 1 + (i % 50));
    const { usefulPerBatch, paddingShare } = planStatistics(tokenBudgetPlan(lengths, { maxTokens: 1000, seed: 1 }));
    assert.ok(usefulPerBatch.mean > 750 && paddingShare < 0.1);
  });

  test("below the longest sequence is rejected with that sequence's index", () => {
    assert.throws(() => tokenBudgetPlan([3, 9, 4], { maxTokens: 8 }), /sequence 1 needs 9 tokens, but maxTokens is 8/);
  });
});

describe("a plan rejects, with the index of the sequence:", () => {
  for (const [name, make, message] of [
    ["NaN", () => dynamicLengthPlan([3, Number.NaN], { batchSize: 1 }), /sequence 1 has length NaN/],
    ["0", () => uniformLengthPlan([0], { batchSize: 1 }), /sequence 0 has length 0/],
    ["a fraction", () => packedPlan([1, 2.5], { batchSize: 1, maxLength: 4 }), /sequence 1 has length 2.5/],
    ["no lengths", () => fixedLengthPlan([], { batchSize: 1, maxLength: 4 }), /at least one sequence, got none/],
    [
      "too long",
      () => fixedLengthPlan([2, 5], { batchSize: 1, maxLength: 4, truncate: false }),
      /sequence 1 has 5 tokens/,
    ],
    ["a maxLength of 0", () => fixedLengthPlan([2], { batchSize: 1, maxLength: 0 }), /maxLength must be .* got 0/],
    [
      "a batch size of 0",
      () => dynamicLengthPlan([2], { batchSize: 0 }),
      /batchSize must be a positive integer, got 0/,
    ],
    ["noise of 1", () => uniformLengthPlan([2], { batchSize: 1, noise: 1 }), /noise must be in \[0, 1\), got 1/],
    ["no batch left", () => dynamicLengthPlan([2], { batchSize: 2, dropLast: true }), /dropLast leaves no batch of 1/],
    [
      "an epoch of -1",
      () => dynamicLengthPlan([2], { batchSize: 2 }).epoch(-1),
      /epoch must be an integer of at least 0, got -1/,
    ],
  ] as const) {
    test(name, () => assert.throws(make, message));
  }
});

test("a plan made by the caller makes batches like any other", () => {
  const pairs = plan("pairs", [2, 1, 3], {}, () => [{ time: 3, rows: [[2], [0, 1]] }]);
  const [batch] = batchesFrom([[1, 2], [3], [4, 5, 6]], pairs);
  assert.deepEqual([...batch!.ids], [4, 5, 6, 1, 2, 3]);
  assert.throws(() => batchesFrom([[1]], pairs), /the plan has 3 sequences, but 1 were given/);
});
