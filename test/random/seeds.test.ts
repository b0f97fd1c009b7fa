import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  addingProblem,
  bernoulli,
  bucketPlan,
  deriveSeed,
  dropout,
  dynamicLengthPlan,
  fixedLengthPlan,
  generator,
  groupSplit,
  languageSnippets,
  listOps,
  ones,
  type Plan,
  packedPlan,
  rand,
  randint,
  randn,
  random,
  randomFrom,
  randomSplit,
  randperm,
  ready,
  seed as seedAll,
  transformerClassifier,
  uniformLengthPlan,
} from "../../src/index.ts";
import { deriveWords, philoxBlock, philoxWords } from "../../src/random/index.ts";
import { seededDropout } from "../../src/tensor/dropout.ts";

before(ready);

const seeds = Array.from({ length: 1000 }, (_, i) => i - 100);
const first = (x: { dataSync(): ArrayLike<number> }) => x.dataSync()[0]!;

/** The largest distance of an empirical distribution from the uniform one on [0, 1): Kolmogorov and Smirnov's D. */
function distance(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.max(...sorted.map((x, i) => Math.max((i + 1) / sorted.length - x, x - i / sorted.length)));
}

/** What a chance of one in a million allows: D * sqrt(n) < 2.7 (Smirnov 1948). */
const spread = (values: readonly number[], what: string) =>
  assert.ok(distance(values) * Math.sqrt(values.length) < 2.7, `${what}: ${distance(values)}`);

/** Abramowitz and Stegun 1964, 7.1.26: the error is below 1.5e-7. */
function normalShare(x: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const poly = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429].reduceRight(
    (sum, c) => (sum + c) * t,
    0,
  );
  const erf = 1 - poly * Math.exp((-x * x) / 2);
  return x < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}

/** Every way to draw from a seed, as the place of its first draw in [0, 1). */
const draws: Record<string, (seed: number) => number> = {
  "random().uniform": (seed) => random(seed).uniform(),
  "random().normal": (seed) => normalShare(random(seed).normal()),
  "random().integer": (seed) => random(seed).integer(0, 2 ** 30) / 2 ** 30,
  "randomFrom(state).uniform": (seed) => randomFrom(random(seed).state()).uniform(),
  "the second draw": (seed) => {
    const rng = random(seed);
    rng.uniform();
    return rng.uniform();
  },
  "generator().next": (seed) => (generator(seed).next() >>> 0) / 2 ** 32,
  "generator(deriveSeed)": (seed) => (generator(deriveSeed(seed, 1)).next() >>> 0) / 2 ** 32,
  "seed, then uniform": (seed) => {
    seedAll(seed);
    return first(rand([1]));
  },
  uniform: (from) => first(rand([1], { from })),
  randn: (from) => normalShare(first(randn([1], { from }))),
  "randn from a random()": (seed) => normalShare(first(randn([1], { from: random(seed) }))),
  randint: (from) => first(randint(0, 2 ** 30, [1], { from })) / 2 ** 30,
  "addingProblem's first value": (seed) =>
    addingProblem({ count: 1, seed, minLength: 4, maxLength: 8 })[0]!.features[0]!,
};

test("the first numbers of neighbouring seeds are uniform, from every function that draws", () => {
  for (const [what, draw] of Object.entries(draws)) spread(seeds.map(draw), what);
});

/** How often each of `count` places was hit: all within what chance allows (five deviations of a binomial). */
function even(hits: readonly number[], tries: number, share: number, what: string): void {
  const allowed = 5 * Math.sqrt(tries * share * (1 - share));
  for (const [place, hit] of hits.entries())
    assert.ok(Math.abs(hit - tries * share) < allowed, `${what}: place ${place} was hit ${hit} of ${tries} times`);
}

const tally = (places: number, found: readonly number[]) =>
  found.reduce((counts, place) => counts.with(place, counts[place]! + 1), Array<number>(places).fill(0));

test("over 1000 seeds each of 20 examples is in validation 20% of the time", () => {
  const items = Array.from({ length: 20 }, (_, i) => i);
  const ways = {
    split: (seed: number) => randomSplit(items, { validation: 0.2, seed }),
    groupSplit: (seed: number) => groupSplit(items, { validation: 0.2, seed, by: String }),
  };
  for (const [what, way] of Object.entries(ways))
    even(
      tally(
        20,
        seeds.flatMap((seed) => way(seed).validation),
      ),
      1000,
      0.2,
      what,
    );
});

test("over 1000 seeds shuffle puts each element last, and pick gives each, equally often", () => {
  const items = Array.from({ length: 10 }, (_, i) => i);
  const lengths = items.map((i) => i + 1);
  const options = { batchSize: 1, longestFirst: false };
  const lastOf = (plan: Plan, epoch = 0) => plan.epoch(epoch).at(-1)!.rows[0]![0]!;
  const ways: Record<string, (seed: number) => number> = {
    shuffle: (seed) => random(seed).shuffle(items)[9]!,
    pick: (seed) => random(seed).pick(items),
    permutation: (from) => randperm(10, { from }).dataSync()[9]!,
    fixedLengthPlan: (seed) => lastOf(fixedLengthPlan(lengths, { ...options, seed, maxLength: 10 })),
    "fixedLengthPlan, epoch 7": (seed) => lastOf(fixedLengthPlan(lengths, { ...options, seed, maxLength: 10 }), 7),
    dynamicLengthPlan: (seed) => lastOf(dynamicLengthPlan(lengths, { ...options, seed })),
    uniformLengthPlan: (seed) => lastOf(uniformLengthPlan(lengths, { ...options, seed })),
    bucketPlan: (seed) => lastOf(bucketPlan(lengths, { ...options, seed, boundaries: [5, 10] })),
    packedPlan: (seed) =>
      lastOf(
        packedPlan(
          lengths.map(() => 10),
          { ...options, seed, maxLength: 10 },
        ),
      ),
  };
  for (const [what, way] of Object.entries(ways)) even(tally(10, seeds.map(way)), 1000, 0.1, what);
});

test("over 1000 seeds the first element of a mask is kept half of the time", () => {
  const one = ones([1]);
  const masks: Record<string, (seed: number) => number> = {
    bernoulli: (from) => first(bernoulli([1], 0.5, { from })),
    dropout: (from) => first(dropout(one, 0.5, { from })) / 2,
    "dropout of a layer": (seed) => first(seededDropout(one, { rate: 0.5, seed: deriveWords(seed, 0) })) / 2,
    "dropout of a layer, next site": (seed) => first(seededDropout(one, { rate: 0.5, seed: deriveWords(seed, 1) })) / 2,
  };
  for (const [what, mask] of Object.entries(masks)) even(tally(2, seeds.map(mask)), 1000, 0.5, what);
});

test("over seeds the first example of generated data has the same distribution as the others", () => {
  const some = seeds.slice(0, 300);
  const heads = some.map((seed) => listOps({ count: 1, seed, maxDepth: 3 })[0]!.text.split(" ")[0]!);
  for (const operator of new Set(heads)) even([heads.filter((head) => head === operator).length], 300, 1 / 4, operator);
  assert.equal(new Set(heads).size, 4);
  const lengths = seeds.map((seed) => addingProblem({ count: 1, seed, minLength: 10, maxLength: 19 })[0]!.length - 10);
  even(tally(10, lengths), 1000, 0.1, "length");
  const languages = some.slice(0, 12).map((seed) => languageSnippets({ count: 5, seed }).at(-1)!.language);
  assert.ok(new Set(languages).size >= 3, languages.join());
});

test("over seeds a model's first weight is a standard normal number", () => {
  const sizes = { vocabularySize: 2, classes: 1, maxLength: 1, features: 1, heads: 1, layers: 1 };
  const weights = seeds.slice(0, 300).map((seed) => {
    const model = transformerClassifier({ ...sizes, seed });
    const weight = first(model.parameters.tokens);
    model.dispose();
    return normalShare(weight);
  });
  spread(weights, "tokens[0]");
});

test("a seed is any integer of 53 bits, and different seeds give different numbers", () => {
  const many = [0, 1, -1, -2, 2 ** 32, 2 ** 32 + 1, -(2 ** 32), 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 1 - 2 ** 53];
  const words = many.map((seed) => generator(seed).next());
  assert.equal(new Set(words).size, many.length);
  for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "1" as never]) {
    assert.throws(() => generator(wrong), { name: "RangeError", message: `the seed must be an integer, got ${wrong}` });
    assert.throws(() => deriveSeed(1, wrong), /the seed must be an integer/);
  }
  assert.throws(() => generator([1, 2]), /expected a generator's state .*\(four integers, not all 0\), got 1,2/);
  assert.throws(() => generator([0, 0, 0, 0]), /not all 0/);
  assert.throws(() => randn([1], { from: Math.random as never }), /from must be a seed or a generator \(of/);
});

test("integers are in [low, high), as in numpy.random.Generator.integers and torch.randint", () => {
  const rng = random(1);
  assert.deepEqual([...new Set(Array.from({ length: 500 }, () => rng.integer(3, 9)))].sort(), [3, 4, 5, 6, 7, 8]);
  assert.deepEqual([...new Set(randint(3, 9, [500], { from: 1 }).dataSync())].sort(), [3, 4, 5, 6, 7, 8]);
  assert.deepEqual([...new Set(Array.from({ length: 100 }, () => rng.integer(-2, 0)))].sort(), [-1, -2]);
  for (const draw of [
    (low: number, high: number) => rng.integer(low, high),
    (low: number, high: number) => randint(low, high, [1]),
  ])
    for (const [low, high] of [
      [3, 3],
      [4, 3],
      [0, 1.5],
    ] as const)
      assert.throws(() => draw(low, high), new RegExp(`must be integers with low < high, got ${low} and ${high}`));
  assert.throws(() => rng.pick([]), /pick: expected at least one item, got none/);
});

describe("derived seeds", () => {
  test("differ for every seed, step, batch and site, also where their sums are equal", () => {
    const found = new Set<number>();
    for (let seed = -10; seed < 10; seed++)
      for (let step = 0; step < 50; step++)
        for (let batch = 0; batch < 10; batch++) found.add(deriveSeed(seed, step, batch));
    assert.equal(found.size, 10_000);
    assert.notEqual(deriveSeed(1), deriveSeed(1, 0));
    assert.notEqual(deriveSeed(1, 2), deriveSeed(2, 1));
    assert.notEqual(deriveSeed(2 ** 32, 1), deriveSeed(0, 1));
  });

  test("are uniform over 53 bits, and change completely with one bit of a part", () => {
    spread(
      seeds.map((seed) => deriveSeed(seed) / 2 ** 53),
      "seed",
    );
    spread(
      seeds.map((step) => deriveSeed(7, step) / 2 ** 53),
      "step",
    );
    spread(
      seeds.map((seed) => (deriveSeed(seed, 3) % 2 ** 16) / 2 ** 16),
      "low bits",
    );
  });
});

describe("Philox", () => {
  // Random123's known answers, tests/kat_vectors: philox4x32 10.
  const known = [
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[-1, -1, -1, -1], [-1, -1], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ] as const;

  test("gives the words of its authors' test vectors", () => {
    for (const [counter, key, words] of known) {
      const found = philoxBlock([...counter], key).map((word) => (word >>> 0).toString(16).padStart(8, "0"));
      assert.equal(found.join(" "), words);
    }
  });

  test("gives the words of tf.random.stateless_uniform(minval=None, dtype=int32)", () => {
    // TensorFlow 2.21 on the CPU: tf.random.stateless_uniform([5], seed, None, None, tf.int32) for seeds [1, 2], [-3, 4].
    assert.deepEqual([...philoxWords(5, [1, 2])], [1105988140, 1738052849, -335576002, 370444179, 10670227]);
    assert.deepEqual([...philoxWords(5, [-3, 4])], [-668500161, -123521100, -59229873, 273939493, -618669920]);
  });
});
