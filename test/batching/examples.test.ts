import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type Batch,
  type Batches,
  batchesFrom,
  bucketByLength,
  dynamicLengthBatches,
  dynamicPad,
  fixedLengthBatches,
  fixedLengthPlan,
  lengthsOf,
  packedBatches,
  paddingStatistics,
  planStatistics,
  tokenBudgetBatches,
  uniformLengthBatches,
} from "../../src/batching/index.ts";

const LONGEST = 20;

interface Pair {
  source: { tokens: Int32Array };
  target: { tokens: Int32Array; tokenLabels: Int32Array };
  label: number;
  /** Not a sequence, so batches do not have it. */
  text: string;
}

/** Every token has an id of its own, and a token's label is its negative id. */
function pairs(lengths: readonly (readonly [number, number])[]): Pair[] {
  let id = 1;
  const tokens = (length: number) => Int32Array.from({ length }, () => id++);
  return lengths.map(([source, target], label) => {
    const own = tokens(target);
    return {
      source: { tokens: tokens(source) },
      target: { tokens: own, tokenLabels: own.map((token) => -token) },
      label,
      text: `pair ${label}`,
    };
  });
}

type PairBatches = Batches<{ source: Batch; target: Batch; indices: Int32Array; labels?: Float32Array }>;
type Strategy = (examples: Pair[], seed: number | undefined, batchSize: number) => PairBatches;
const seeded = (seed: number | undefined) => (seed === undefined ? {} : { seed });
const strategies: Record<string, Strategy> = {
  "fixed length": (examples, seed, batchSize) =>
    fixedLengthBatches(examples, {
      ...seeded(seed),
      batchSize,
      maxLength: { source: LONGEST, target: LONGEST + 3 },
      side: { target: "left" },
    }),
  "dynamic length": (examples, seed, batchSize) =>
    dynamicLengthBatches(examples, { ...seeded(seed), batchSize, padToMultipleOf: 4, paddingValue: { source: 7 } }),
  "uniform length by the sum": (examples, seed, batchSize) =>
    uniformLengthBatches(examples, { ...seeded(seed), batchSize, side: "left" }),
  "uniform length by one name": (examples, seed, batchSize) =>
    uniformLengthBatches(examples, { ...seeded(seed), batchSize, by: "target", sort: "mega-batches" }),
  "buckets by the longest": (examples, seed, batchSize) =>
    bucketByLength(examples, { ...seeded(seed), batchSize, by: "longest", quantiles: 3, leftovers: "widen" }),
  "buckets by shapes": (examples, seed, batchSize) =>
    bucketByLength(examples, { ...seeded(seed), batchSize, shapes: 2, padTo: "longest" }),
  "token budget": (examples, seed, batchSize) =>
    tokenBudgetBatches(examples, { ...seeded(seed), maxTokens: 2 * LONGEST + 9 * batchSize, rowsMultipleOf: 2 }),
  packed: (examples, seed, batchSize) =>
    packedBatches(examples, { ...seeded(seed), batchSize, maxLength: { source: LONGEST, target: LONGEST + 5 } }),
  "packed, first fit, padded before": (examples, seed, batchSize) =>
    packedBatches(examples, {
      ...seeded(seed),
      ...{ batchSize, maxLength: LONGEST, algorithm: "first-fit", side: "left", padTo: "longest" },
      maxSequencesPerRow: 3,
    }),
};

const length = fc.integer({ min: 1, max: LONGEST });
const someLengths = fc.array(fc.tuple(length, length), { minLength: 1, maxLength: 40 });
const inputs = [someLengths, fc.option(fc.integer(), { nil: undefined }), fc.integer({ min: 1, max: 7 })] as const;

/** The tokens of each segment of each row, by example, read back from a rectangle. */
function segmentsOf(batch: Batch, values: Int32Array): Map<number, number[]> {
  const found = new Map<number, number[]>();
  let n = 0;
  for (let row = 0; row < batch.rows; row++) {
    let count = 0;
    for (let at = row * batch.time; at < (row + 1) * batch.time; at++) {
      const segment = batch.segments[at]!;
      assert.equal(batch.mask[at], segment > 0 ? 1 : 0);
      if (segment === 0) continue;
      count = Math.max(count, segment);
      const example = batch.indices[n + segment - 1]!;
      if (!found.has(example)) found.set(example, []);
      assert.equal(batch.positions[at], found.get(example)!.length);
      found.get(example)!.push(values[at]!);
    }
    n += count;
  }
  assert.equal(n, batch.indices.length);
  return found;
}

/** Which examples each row holds. */
function rowsOf({ rows, time, segments, indices }: Batch): number[][] {
  let n = 0;
  return Array.from({ length: rows }, (_, row) => {
    const count = Math.max(...segments.subarray(row * time, (row + 1) * time));
    n += count;
    return [...indices.subarray(n - count, n)];
  });
}

for (const [name, strategy] of Object.entries(strategies)) {
  describe(`pairs, ${name}`, () => {
    test("have each example once, with all its tokens, token labels and label, in the same row of both rectangles", () => {
      fc.assert(
        fc.property(...inputs, fc.integer({ min: 0, max: 2 }), (lengths, seed, batchSize, epoch) => {
          const examples = pairs(lengths);
          const seen: number[] = [];
          for (const batch of strategy(examples, seed, batchSize).epoch(epoch)) {
            const { source, target, indices, labels } = batch;
            assert.deepEqual(Object.keys(batch).sort(), ["indices", "labels", "source", "target"]);
            assert.deepEqual(rowsOf(source), rowsOf(target));
            assert.deepEqual([...labels!], [...indices]);
            const sources = segmentsOf(source, source.ids);
            const targets = segmentsOf(target, target.ids);
            const tokenLabels = segmentsOf(target, target.tokenLabels!);
            for (const i of indices) {
              assert.deepEqual(sources.get(i), [...examples[i]!.source.tokens]);
              assert.deepEqual(targets.get(i), [...examples[i]!.target.tokens]);
              assert.deepEqual(tokenLabels.get(i), [...examples[i]!.target.tokenLabels]);
            }
            target.mask.forEach((token, at) => {
              if (!token) assert.equal(target.tokenLabels![at], -100);
            });
            seen.push(...indices);
          }
          assert.deepEqual(
            seen.toSorted((a, b) => a - b),
            examples.map((_, i) => i),
          );
        }),
        { numRuns: 40 },
      );
    });

    test("depend on lengths and seed only, and resume within an epoch", () => {
      fc.assert(
        fc.property(...inputs, (lengths, seed, batchSize) => {
          const batches = strategy(pairs(lengths), seed, batchSize);
          const again = strategy(pairs(lengths), seed, batchSize);
          assert.deepEqual([...again.epoch(1)], [...batches.epoch(1)]);
          assert.deepEqual([...again.epoch(1, 1)], [...batches.epoch(1)].slice(1));
        }),
        { numRuns: 5 },
      );
    });

    test("have the padding that the plan gives", () => {
      fc.assert(
        fc.property(...inputs, (lengths, seed, batchSize) => {
          const batches = strategy(pairs(lengths), seed, batchSize);
          const planned = planStatistics(batches.plan);
          const made = paddingStatistics(batches);
          for (const figure of ["batches", "sequences", "slots", "useful", "shapes"] as const) {
            assert.equal(made[figure], planned[figure], figure);
          }
          let slots = 0;
          for (const { source, target } of batches) slots += source.ids.length + target.ids.length;
          assert.equal(planned.slots, slots);
          assert.equal(
            planned.useful,
            lengths.flat().reduce((sum, each) => sum + each, 0),
          );
        }),
        { numRuns: 20 },
      );
    });
  });
}

describe("the widths of pairs", () => {
  const examples = pairs([
    [3, 9],
    [8, 2],
    [4, 4],
    [1, 12],
  ]);

  test("are the longest of each name, truncated where a name has a limit", () => {
    const { source, target } = dynamicPad(examples, { maxLength: { target: 5 }, truncate: { target: "start" } });
    assert.deepEqual([source.rows, source.time, target.time], [4, 8, 5]);
    assert.deepEqual([...target.lengths], [5, 2, 4, 5]);
    assert.deepEqual(target.truncated, { sequences: 2, tokens: 4 + 7 });
    // The last five of the nine tokens of the first target, and their labels.
    assert.deepEqual([...target.ids.subarray(0, 5)], [...examples[0]!.target.tokens.slice(4)]);
    assert.deepEqual([...target.tokenLabels!.subarray(0, 5)], [...examples[0]!.target.tokenLabels.slice(4)]);
  });

  test("follow the length rule of the grouping", () => {
    const grouped = (by: "source" | "target" | "longest" | "sum") =>
      [...uniformLengthBatches(examples, { batchSize: 2, by })].map(({ indices }) => [...indices]);
    // Lengths: sums 12, 10, 8, 13; longest 9, 8, 4, 12. The longest come first.
    assert.deepEqual(grouped("sum"), [
      [3, 0],
      [1, 2],
    ]);
    assert.deepEqual(grouped("longest"), [
      [3, 0],
      [1, 2],
    ]);
    assert.deepEqual(grouped("source"), [
      [0, 3],
      [1, 2],
    ]);
    const byProduct = uniformLengthBatches(examples, { batchSize: 2, by: ({ source, target }) => source * target });
    assert.deepEqual(
      [...byProduct].map(({ indices }) => [...indices]),
      [
        [0, 1],
        [2, 3],
      ],
    );
  });

  test("of all names together stay within a token budget", () => {
    for (const { source, target } of tokenBudgetBatches(examples, { maxTokens: 30 })) {
      assert.ok(source.ids.length + target.ids.length <= 30);
    }
    assert.throws(
      () => tokenBudgetBatches(examples, { maxTokens: 12 }),
      /example 3 needs 13 tokens, but maxTokens is 12/,
    );
  });
});

test("examples may have one name, three names, or real features beside tokens", () => {
  const three = [
    { left: [1, 2], middle: { features: [0.5, 1.5, 2.5, 3.5], length: 2 }, right: { tokens: [3] } },
    { left: [4], middle: { features: [4.5, 5.5], length: 1 }, right: { tokens: [5, 6] } },
  ];
  const { left, middle, right } = dynamicPad(three);
  assert.deepEqual([...left.ids], [1, 2, 4, 0]);
  assert.deepEqual([...middle.features!], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 0, 0]);
  assert.deepEqual([...right.ids], [3, 0, 5, 6]);
  const one = dynamicPad([{ prompt: [1, 2] }, { prompt: [3] }]);
  assert.deepEqual([...one.prompt.ids], [1, 2, 3, 0]);
  assert.equal("labels" in one, false);
});

test("labels may be vectors, of an example and of a sequence", () => {
  const single = dynamicLengthBatches(
    [
      { tokens: [1], label: [0.5, 1] },
      { tokens: [2, 3], label: [2, 3] },
      { tokens: [4], label: Float32Array.of(4, 5) },
    ],
    { batchSize: 2 },
  );
  assert.deepEqual(
    [...single].map(({ labels, labelWidth }) => [[...labels!], labelWidth]),
    [
      [[0.5, 1, 2, 3], 2],
      [[4, 5], 2],
    ],
  );
  const pair = dynamicPad([
    { source: { tokens: [1], label: 3 }, target: [2], label: [1, 2] },
    { source: { tokens: [1], label: 4 }, target: [2], label: [3, 4] },
  ]);
  assert.deepEqual([...pair.labels!, pair.labelWidth], [1, 2, 3, 4, 2]);
  assert.deepEqual([...pair.source.labels!], [3, 4]);
});

describe("errors name the example and the names", () => {
  const [good] = pairs([[2, 3]]);
  const cases: [string, () => unknown, RegExp][] = [
    [
      "a missing name",
      () => dynamicPad([good!, { source: [1], label: 1 } as unknown as Pair]),
      /^example 1 has the sequences source, but example 0 has source, target$/,
    ],
    [
      "no sequence",
      // @ts-expect-error the examples have no sequence
      () => dynamicPad([{ text: "a" }]),
      /^example 0 has no sequence: expected tokens, features or sequences by name, got text$/,
    ],
    [
      "an empty sequence",
      () => dynamicPad([{ source: [1], target: [] }]),
      /^the target of example 0 is empty: drop it, or give it at least one token$/,
    ],
    [
      "an id outside the vocabulary",
      () => dynamicPad([{ source: [1], target: [9] }], { vocabularySize: { target: 5 } }),
      /^the target of example 0 has id 9 at token 0, outside the vocabulary \(size 5\)$/,
    ],
    [
      "token labels of another length",
      () => dynamicPad([{ tokens: [1, 2], tokenLabels: [1] }]),
      /^sequence 0 has 1 token labels for 2 tokens: expected one for each token$/,
    ],
    [
      "a type id that is not an integer",
      () => dynamicPad([{ tokens: [1, 2], typeIds: [0, 0.5] }]),
      /^sequence 0 has the type id 0.5 at token 1: type ids must be integers$/,
    ],
    [
      "token labels of some sequences only",
      () => dynamicPad([{ tokens: [1], tokenLabels: [1] }, { tokens: [1] }]),
      /^sequence 1 has no token labels, but sequence 0 has some$/,
    ],
    [
      "a label of some examples only",
      () => dynamicPad([{ source: [1], label: 1 }, { source: [1] }]),
      /^example 1 has no label, but example 0 has one$/,
    ],
    [
      "labels of different widths",
      () =>
        dynamicPad([
          { source: [1], label: [1, 2] },
          { source: [1], label: 1 },
        ]),
      /^example 1 has one number as its label, but example 0 has a label of 2 numbers$/,
    ],
    [
      "an option for an unknown name",
      // @ts-expect-error the examples have no sequence `goal`
      () => dynamicPad([{ source: [1], target: [2] }], { maxLength: { goal: 4 } }),
      /^maxLength has a value for goal, but the examples have source, target$/,
    ],
    [
      "options by name for one sequence",
      // @ts-expect-error the sequences have no names
      () => dynamicPad([[1, 2]], { side: { source: "left" } }),
      /^side has a value for source, but the sequences have no names$/,
    ],
    [
      "a rule for an unknown name",
      // @ts-expect-error the examples have no sequence `goal`
      () => uniformLengthBatches([{ source: [1], target: [2] }], { batchSize: 1, by: "goal" }),
      /^by must be "sum", "longest", a function or one of "source", "target", got "goal"$/,
    ],
    [
      "a limit for one name only",
      () => fixedLengthBatches([{ source: [1], target: [2] }], { batchSize: 1, maxLength: { source: 4 } }),
      /^maxLength of target must be a positive integer, got none$/,
    ],
    [
      "a name that batches use",
      () => dynamicPad([{ source: [1], labels: [2] }]),
      /^a sequence cannot be named labels: batches have a labels of their own$/,
    ],
    [
      "a plan of other names",
      () => batchesFrom([{ source: [1] }], fixedLengthPlan([1], { batchSize: 1, maxLength: 1 })),
      /^the plan has the lengths of one sequence an example, but the examples have source$/,
    ],
    [
      "examples of both kinds",
      // @ts-expect-error an example is one sequence or has names
      () => dynamicPad([[1], { source: [1] }]),
      /^example 1 has source, but example 0 is one sequence$/,
    ],
  ];
  for (const [title, run, message] of cases) {
    test(title, () => {
      assert.throws(run, (error: Error) => message.test(error.message) || assert.equal(error.message, String(message)));
    });
  }
});

test("lengthsOf gives the lengths by name, for a plan of the pairs", () => {
  const examples = pairs([
    [3, 1],
    [2, 5],
  ]);
  const lengths = lengthsOf(examples);
  assert.deepEqual(
    [[...lengths.source], [...lengths.target]],
    [
      [3, 2],
      [1, 5],
    ],
  );
  const plan = fixedLengthPlan(lengths, { batchSize: 2, maxLength: { source: 4, target: 3 } });
  assert.deepEqual([[...plan.lengths], plan.truncated], [[4, 5], { sequences: 1, tokens: 2 }]);
  const [batch] = batchesFrom(examples, plan);
  assert.deepEqual([batch!.source.time, batch!.target.time], [4, 3]);
});
