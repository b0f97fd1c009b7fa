import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ready } from "../../src/runtime/index.ts";
import * as h from "../../src/tensor/index.ts";

before(ready);

const values = (x: h.AnyTensor) => [...x.dataSync()];

test("the same seed gives the same numbers, and a saved state continues exactly", () => {
  h.seed(7);
  const first = values(h.randn([5]));
  const state = h.randomState();
  const next = values(h.rand([5]));
  h.seed(7);
  assert.deepEqual(values(h.randn([5])), first);
  h.seed(state);
  assert.deepEqual(values(h.rand([5])), next);
  assert.deepEqual(values(h.randn([5], { from: 7 })), first);
  assert.notDeepEqual(values(h.randn([5], { from: 8 })), first);
});

test("the numbers of a seed never change, because a notebook's results depend on them", () => {
  // The low words are 3178835261, 774687336, 344193824, 1886692600, 422950942 and 3587575865; modulo 100.
  assert.deepEqual(values(h.randint(0, 100, [6], { from: 42 })), [61, 36, 24, 0, 42, 65]);
  assert.deepEqual(values(h.randint(0, 100, [6], { from: h.generator(42) })), [61, 36, 24, 0, 42, 65]);
  const expected = pureFirstWords(42, 3).map((word) => Math.fround((word >>> 8) / 2 ** 24));
  assert.deepEqual(values(h.rand([3], { from: 42 })), expected);
});

/** The low words of xoroshiro128+ 1.0 (prng.di.unimi.it), its state four words of splitmix32, high words first. */
function pureFirstWords(seed: number, count: number): number[] {
  const low = 0xffffffffn;
  const mask = (1n << 64n) - 1n;
  let mixing = BigInt(seed);
  const word = () => {
    mixing = (mixing + 0x9e3779b9n) & low;
    let z = ((mixing ^ (mixing >> 16n)) * 0x21f0aaadn) & low;
    z = ((z ^ (z >> 15n)) * 0x735a2d97n) & low;
    return z ^ (z >> 15n);
  };
  const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (64n - k))) & mask;
  let [s0, s1] = [(word() << 32n) | word(), (word() << 32n) | word()];
  return Array.from({ length: count }, () => {
    const out = (s0 + s1) & mask;
    const mixed = s1 ^ s0;
    s0 = rotl(s0, 24n) ^ mixed ^ ((mixed << 16n) & mask);
    s1 = rotl(mixed, 37n);
    return Number(out & low);
  });
}

test("the moments equal those of the distributions", () => {
  const moments = (x: h.AnyTensor) => [h.item(h.mean(x)), h.item(h.variance(x))] as const;
  const near = (found: number, expected: number, off: number) =>
    assert.ok(Math.abs(found - expected) < off, `${found}, expected ${expected}`);
  const [m1, v1] = moments(h.randn([20000], { from: 1, mean: 3, std: 2 }));
  near(m1, 3, 0.06);
  near(v1, 4, 0.2);
  const [m2, v2] = moments(h.rand([20000], { from: 2, low: -1, high: 3 }));
  near(m2, 1, 0.04);
  near(v2, 16 / 12, 0.05);
  const [m3] = moments(h.asType(h.randint(-2, 3, [20000], { from: 3 }), "float32"));
  near(m3, 0, 0.05);
  near(h.item(h.mean(h.bernoulli([20000], 0.3, { from: 4 }))), 0.3, 0.015);
  const dropped = h.dropout(h.ones([20000]), 0.25, { from: 5 });
  near(h.item(h.mean(dropped)), 1, 0.02);
  assert.deepEqual([...new Set(values(dropped))].sort(), [0, Math.fround(4 / 3)]);
});

test("a permutation has every number once", () => {
  const found = values(h.randperm(50, { from: 1 }));
  assert.notDeepEqual(found, [...Array(50).keys()]);
  assert.deepEqual(
    found.sort((a, b) => a - b),
    [...Array(50).keys()],
  );
});

test("invalid parameters are rejected with their name and value", () => {
  assert.throws(() => h.generator(1.5), /the seed must be an integer, got 1.5/);
  assert.throws(() => h.randint(3, 3, [1]), /randint: low and high must be integers with low < high, got 3 and 3/);
  assert.throws(() => h.bernoulli([1], 1.5), /p must be between 0 and 1, got 1.5/);
  assert.throws(() => h.dropout(h.ones([1]), 1), /dropout: the dropout rate must be at least 0 and below 1, got 1/);
  assert.throws(() => h.randn([2], { std: -1 }), /std must not be negative, got -1/);
});

/** The place at which the running sum of the weights passes a part of their sum. */
function placeOf(weights: readonly number[], part: number): number {
  const sum = weights.reduce((a, b) => a + b);
  let running = 0;
  return weights.findIndex((weight) => {
    running += weight;
    return running > part * sum;
  });
}

test("categorical and multinomial invert the distribution at the generator's uniform numbers", () => {
  const logits = [
    [0.5, -1, 2, 0],
    [Number.NEGATIVE_INFINITY, 1, 1, 3],
  ];
  const parts = values(h.rand([2], { from: 5 }));
  const expected = logits.map((row, i) => placeOf(row.map(Math.exp), parts[i]!));
  assert.deepEqual(values(h.categorical(h.tensor(logits), { from: 5 })), expected);
  assert.deepEqual(values(h.categorical(h.transpose(h.tensor(logits)), { from: 5, axis: 0 })), expected);
  const weights = [1, 0, 5, 2];
  const many = values(h.rand([6], { from: 9 }));
  assert.deepEqual(
    values(h.multinomial(h.tensor(weights), 6, { from: 9, replacement: true })),
    many.map((part) => placeOf(weights, part)),
  );
});

test("multinomial without replacement draws each index once, in proportion to what is left", () => {
  const rows = h.multinomial(h.broadcastTo(h.tensor([1, 0, 3, 4]), [20000, 4]), 2, { from: 3 });
  assert.deepEqual(rows.shape, [20000, 2]);
  const pairs = h.toArray(rows);
  assert.ok(pairs.every(([a, b]) => a !== b && a !== 1 && b !== 1));
  const share = (of: (pair: readonly number[]) => boolean) => pairs.filter(of).length / pairs.length;
  assert.ok(Math.abs(share(([a]) => a === 3) - 4 / 8) < 0.015);
  // First 2, then 0 of the weights 1 and 4.
  assert.ok(Math.abs(share(([a, b]) => a === 2 && b === 0) - (3 / 8) * (1 / 5)) < 0.01);
  assert.throws(() => h.multinomial(h.tensor([1, 0, 3]), 3), /multinomial: a row of \[3\] has 2 weights above 0/);
  assert.throws(
    () => h.multinomial(h.tensor([1, -1]), 1),
    /multinomial: the weights must be finite and at least 0, got -1/,
  );
  assert.throws(() => h.categorical(h.tensor([1, Number.NaN])), /categorical: .* finite/);
});
